//! Starts the daemon.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsFd as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::time::Instant;

use ipvs_netlink::health::probe::{Runner, RunnerOptions};
use ipvs_netlink::health::through::Marks;
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::table::controller::{Controller, ControllerOptions};
use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Snapshot, Timeouts};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc};

use crate::configuration::Configuration;
use crate::control::call::MOST_WAITING;
use crate::control::limits::Limits;
use crate::control::server::serve;
use crate::daemon::announcing::Announcing;
use crate::daemon::catching_up::CatchingUp;
use crate::daemon::keeper::{Held, Keeper, MOST_EVENTS};
use crate::daemon::looking::Looking;
use crate::daemon::reading::{load, warn};
use crate::daemon::saving::Saver;
use crate::daemon::shared::Shared;
use crate::daemon::signals::Signals;
use crate::daemon::{Failure, RunArguments};
use crate::desk::{Desk, Keeping, Trouble, valid};
use crate::exit::Exit;
use crate::log::{self, Log};
use crate::metrics::{self, Server, SharedCounts};
use crate::moment::Moment;
use crate::state::{Lock, Saved, StateFile};
use crate::systemd::Systemd;

/// Runs the daemon until a signal ends it.
#[must_use]
pub fn run(arguments: &RunArguments) -> Exit {
    let prepared = prepare(arguments);
    let queue = log::begin(arguments.log_format, arguments.log_level);
    let ended = prepared.and_then(|Prepared { configuration, warnings, metrics }| {
        warn(&warnings);
        start(arguments, configuration, metrics, Log::new(queue.losses()))
    });
    let failure = ended.as_ref().err().map(|failure| format!("director: {failure}"));
    queue.end(failure.as_deref());
    ended.map_or_else(|failure| failure.exit(), |()| Exit::Done)
}

/// What is there before the daemon enters its namespace.
struct Prepared {
    configuration: Configuration,
    warnings: Vec<String>,
    /// Where metrics are asked for, if that is wanted.
    metrics: Option<TcpListener>,
}

/// Reads the configuration with its warnings, and enters its namespace: before any thread begins, so that
/// all are there. Metrics are served where the daemon was started.
fn prepare(arguments: &RunArguments) -> Result<Prepared, Failure> {
    let (configuration, warnings) = load(arguments)?;
    valid(&configuration).map_err(Failure::Invalid)?;
    let listen =
        |address| metrics::listen(address).map_err(|error| Failure::Metrics { address, error });
    let metrics = arguments.metrics.metrics.map(listen).transpose()?;
    if let Some(namespace) = &configuration.namespace {
        enter(namespace)?;
    }
    Ok(Prepared { configuration, warnings, metrics })
}

fn start(
    arguments: &RunArguments,
    configuration: Configuration,
    metrics: Option<TcpListener>,
    log: Log,
) -> Result<(), Failure> {
    raise_limit_of_descriptors();
    let _lock = lock(&arguments.state)?;
    make_folder(&arguments.sockets.socket)?;
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("the event loop cannot be made"))?;
    let ended = runtime.block_on(keep(arguments, configuration, metrics, log));
    // Does not wait for a file that cannot be read.
    runtime.shutdown_background();
    ended
}

async fn keep(
    arguments: &RunArguments,
    configuration: Configuration,
    metrics: Option<TcpListener>,
    log: Log,
) -> Result<(), Failure> {
    let signals = Signals::listen().map_err(system("signals cannot be received"))?;
    // Refuses to start beside another daemon before anything is read or written.
    let sockets = arguments.sockets.bind()?;
    let mut client = Client::connect().await?;
    // Without the privilege all attempts fail.
    client.check().await?;
    let mut file = StateFile::new(arguments.state.clone());
    let (saved, trouble) = match file.load() {
        Ok(saved) => (saved.unwrap_or_default(), None),
        Err(error) => (Saved::default(), Some(error.to_string())),
    };
    // The whole table: foreign services may have marks of checks.
    let table = client.snapshot().await?;
    let options = runner_options(&configuration, &table)?;
    let runner =
        Runner::start(options).map_err(system("the thread of the checks cannot be started"))?;
    let counts = SharedCounts::default();
    let metrics = match metrics {
        Some(listener) => {
            let counted = counts.clone();
            runner.observe(move |check| counted.lock().checked(&check));
            let server = Server::start(listener, &arguments.metrics, counts.clone());
            Some(server.map_err(system("the thread of metrics cannot be started"))?)
        }
        None => None,
    };
    let mut controller = Controller::new(controller_options(&configuration));
    let now = Moment::now();
    let mut desk = Desk::new(configuration, saved, now);
    desk.trouble(Trouble::StateFound, trouble, now);
    match arguments.keep_former {
        true => desk.disown_former(),
        false => controller.formerly(desk.former()),
    }
    desk.withdraw_former();
    let path = file.path().to_owned();
    let (saved, version) = desk.saved();
    let begun = Saver::begin(file, saved, version);
    let (saver, trouble) = begun.map_err(|error| Failure::State { path, error })?;
    desk.trouble(Trouble::State, trouble, now);
    counts.lock().configure(desk.configuration());
    let (calls, inbox) = mpsc::channel(MOST_WAITING);
    let (events, _) = broadcast::channel(MOST_EVENTS);
    let server = tokio::spawn(serve(sockets, Limits::DAEMON, calls, events.clone()));
    let keeper = Keeper {
        updates: runner.updates(),
        held: Held::new(&table),
        runner: Some(runner),
        announcing: Announcing::new(),
        saver,
        systemd: Systemd::find(Instant::now()),
        log,
        arguments: arguments.clone(),
        refused: BTreeSet::new(),
        watch_again_at: None,
        reading: Shared::default(),
        asking: Shared::default(),
        catching_up: CatchingUp::default(),
        state: Shared::default(),
        settings_at: Instant::now(),
        differs: Vec::new(),
        counts,
        metrics,
        looking: Looking::default(),
        not_looked: String::new(),
        client,
        controller,
        desk,
        inbox,
        events,
        signals,
    };
    let ended = keeper.keep().await;
    // Tells those who are connected that the daemon has ended.
    let _ = server.await;
    ended
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> Failure {
    move |error| Failure::System { what, error }
}

/// Returns how the checks are done.
fn runner_options(
    configuration: &Configuration,
    table: &Snapshot,
) -> Result<RunnerOptions, Failure> {
    let options = RunnerOptions::new();
    let Some(range) = configuration.marks else { return Ok(options) };
    let mut marks = Marks::new(range, table)?;
    let Timeouts { tcp, tcp_fin, .. } = configuration.timeouts;
    // What the kernel remembers for longer than by default, the runner is to know.
    let longest = tcp_fin.max(tcp.filter(|tcp| tcp.as_secs() > 1000));
    if let Some(longest) = longest.filter(|longest| longest.as_secs() > 120) {
        marks = marks.forgotten_after(longest);
    }
    Ok(options.marks(marks))
}

/// Returns how the controller keeps the table.
fn controller_options(configuration: &Configuration) -> ControllerOptions {
    let Keeping { drain, resync, hold } = Keeping::of(configuration);
    ControllerOptions::new().plan(PlanOptions::new().drain(drain)).resync(resync).hold(hold)
}

fn enter(namespace: &Path) -> Result<(), Failure> {
    let path = match namespace.components().count() {
        1 if namespace.is_relative() => Path::new("/run/netns").join(namespace),
        _ => namespace.to_owned(),
    };
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    open(&path, flags, Mode::empty())
        .and_then(|file| move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)))
        .map_err(|error| Failure::Namespace { path, error: error.into() })
}

/// Lets each check have a descriptor. Where that is refused, fewer checks run at the same time.
fn raise_limit_of_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

fn lock(path: &Path) -> Result<Lock, Failure> {
    make_folder(path)?;
    match Lock::take(path).map_err(|error| Failure::Lock { path: path.to_owned(), error })? {
        Some(lock) => Ok(lock),
        None => Err(Failure::Locked(path.to_owned())),
    }
}

/// Makes the folder of a file, readable by all and written by nobody else.
fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    let made = DirBuilder::new().recursive(true).mode(0o755).create(folder);
    made.map_err(|error| Failure::Folder { path: folder.to_owned(), error })
}
