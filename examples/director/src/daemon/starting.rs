//! Starts the daemon.

use std::fs;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use ipvs_netlink::health::probe::{Runner, RunnerOptions};
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::table::controller::{Controller, ControllerOptions};
use ipvs_netlink::tokio::Client;
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Resource, getrlimit, setrlimit};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Builder;
use tokio::sync::{broadcast, mpsc};

use crate::announcement;
use crate::configuration::Configuration;
use crate::control::call::MOST_WAITING;
use crate::control::limits::Limits;
use crate::control::server::serve;
use crate::daemon::keeper::{Keeper, MOST_EVENTS, Parts};
use crate::daemon::reloading::read_file;
use crate::daemon::signals::Signals;
use crate::daemon::{Failure, RunArguments};
use crate::desk::{Desk, Trouble, valid};
use crate::exit::Exit;
use crate::log;
use crate::moment::Moment;
use crate::state::{Lock, Saved, StateFile};

/// Runs the daemon until a signal ends it.
#[must_use]
pub fn run(arguments: &RunArguments) -> Exit {
    log::begin(arguments.log_format, arguments.log_level);
    match start(arguments) {
        Ok(()) => Exit::Done,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "director: {failure}");
            failure.exit()
        }
    }
}

fn start(arguments: &RunArguments) -> Result<(), Failure> {
    let configuration = read_file(arguments).map_err(Failure::Configuration)?;
    valid(&configuration).map_err(Failure::Configuration)?;
    // Before any thread begins, so that all are there.
    if let Some(namespace) = &configuration.namespace {
        enter(namespace)?;
    }
    raise_limit_of_descriptors();
    let _lock = lock(&arguments.state)?;
    let system = |what| move |error| Failure::System { what, error };
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(system("the event loop cannot be made"))?;
    let ended = runtime.block_on(keep(arguments, configuration));
    // Does not wait for a file that cannot be read.
    runtime.shutdown_background();
    ended
}

async fn keep(arguments: &RunArguments, configuration: Configuration) -> Result<(), Failure> {
    let system = |what| move |error| Failure::System { what, error };
    // Clients that come before the daemon keeps its table wait.
    let sockets = arguments.sockets.bind()?;
    let signals = Signals::listen().map_err(system("signals cannot be received"))?;
    let mut client = Client::connect().await?;
    // Without the privilege all attempts fail.
    client.check().await?;
    let mut state = StateFile::new(arguments.state.clone());
    let (saved, trouble) = match state.load() {
        Ok(saved) => (saved.unwrap_or_default(), None),
        Err(error) => (Saved::default(), Some(error.to_string())),
    };
    let ids: Vec<_> = configuration.services.keys().copied().collect();
    let held = client.snapshot_of(&ids).await?;
    let options = controller_options(&configuration);
    let mut desk = Desk::new(configuration, saved, Moment::now());
    desk.trouble(Trouble::State, trouble, Moment::now());
    let mut controller = Controller::new(options);
    if !arguments.keep_former {
        controller.formerly(desk.former());
    }
    let path = state.path().to_owned();
    state.save(desk.saved()).map_err(|error| Failure::State { path, error })?;
    let runner = Runner::start(RunnerOptions::new())
        .map_err(system("the thread of the checks cannot be started"))?;
    let (calls, inbox) = mpsc::channel(MOST_WAITING);
    let (events, _) = broadcast::channel(MOST_EVENTS);
    let server = tokio::spawn(serve(sockets, Limits::DAEMON, calls, events.clone()));
    let parts = Parts { client, controller, runner, desk, state, inbox, events, signals };
    let keeper = Keeper::new(parts, held, arguments.clone());
    let ended = keeper.keep().await;
    // The inbox is closed, so the last answers go out and the server ends.
    server.await.ok();
    ended
}

/// Returns how the controller keeps the table.
fn controller_options(configuration: &Configuration) -> ControllerOptions {
    let plan = PlanOptions::new().drain(configuration.drain);
    let services = configuration.services.values();
    // A route is withdrawn before the destinations of its service leave.
    let hold =
        services.map(|it| announcement::hold(it.commands.as_ref())).max().unwrap_or_default();
    let options = ControllerOptions::new().plan(plan).hold(hold);
    match configuration.resync {
        Some(resync) => options.resync(resync),
        None => options,
    }
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
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    let taken = made.and_then(|()| Lock::take(path));
    match taken.map_err(|error| Failure::Lock { path: path.to_owned(), error })? {
        Some(lock) => Ok(lock),
        None => Err(Failure::Locked(path.to_owned())),
    }
}
