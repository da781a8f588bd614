//! The program under test: a client, a controller and a runner of checks, in three forms.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipvs_netlink::health::Watched;
use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions, Update, Updates};
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Ending, Request};
use ipvs_netlink::{Client, smol, tokio as on_tokio};

use crate::log::{Log, Said};
use crate::network::Namespace;

/// Which client the program uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Blocking,
    Tokio,
    Smol,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Director {
    pub(crate) runner: Runner,
    ends: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Director {
    /// Starts the program in a namespace. It reads what the table holds of the services that it is
    /// to watch.
    pub(crate) fn start(
        form: Form,
        namespace: &Namespace,
        log: &Log,
        watched: Vec<Watched<Probe>>,
    ) -> Self {
        // Threads begin in the namespace of the thread that starts them.
        let started = namespace.run(|| {
            let held = Client::connect().unwrap().snapshot().unwrap();
            let runner = Runner::start(RunnerOptions::new())?;
            for watched in watched {
                let held = held.service(watched.id()).cloned();
                runner.watch(watched, held).unwrap();
            }
            let ends = Arc::new(AtomicBool::new(false));
            let (updates, log, end) = (runner.updates(), log.clone(), Arc::clone(&ends));
            let keeper = thread::Builder::new().spawn(move || match form {
                Form::Blocking => keep(&updates, &log, &end),
                Form::Tokio => {
                    let mut runtime = tokio::runtime::Builder::new_current_thread();
                    runtime.enable_all().build().unwrap().block_on(run_on_tokio(updates, log));
                }
                Form::Smol => async_io::block_on(run_on_smol(updates, log)),
            })?;
            Ok(Self { runner, ends, keeper })
        });
        started.unwrap()
    }

    /// Ends the program. The table stays.
    pub(crate) fn stop(self) {
        self.ends.store(true, Ordering::SeqCst);
        drop(self.runner);
        self.keeper.join().unwrap();
    }
}

fn controller() -> Controller {
    Controller::new(ControllerOptions::new())
}

/// The program with the blocking client.
fn keep(updates: &Updates, log: &Log, ends: &AtomicBool) {
    let mut ipvs = Client::connect().unwrap();
    ipvs.keep(&mut controller(), Duration::from_millis(10), |controller, event| {
        if let Some(event) = event {
            log.say(Said::Controller(event));
        }
        while let Some(update) = updates.try_next() {
            if let Some(Request::Wish(wish)) = heard(update, log) {
                controller.wish(wish);
            }
        }
        match ends.load(Ordering::SeqCst) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
}

/// The program on tokio. It ends with the runner.
async fn run_on_tokio(updates: Updates, log: Log) {
    let mut ipvs = on_tokio::Client::connect().await.unwrap();
    let wishes = async || wish(&updates, &log).await;
    let events = |event| log.say(Said::Controller(event));
    ipvs.run(&mut controller(), Ending::Keep, wishes, events).await.unwrap();
}

/// The program on smol. It ends with the runner.
async fn run_on_smol(updates: Updates, log: Log) {
    let mut ipvs = smol::Client::connect().await.unwrap();
    let wishes = async || wish(&updates, &log).await;
    let events = |event| log.say(Said::Controller(event));
    ipvs.run(&mut controller(), Ending::Keep, wishes, events).await.unwrap();
}

async fn wish(updates: &Updates, log: &Log) -> Option<Request> {
    loop {
        if let Some(request) = heard(updates.next().await?, log) {
            return Some(request);
        }
    }
}

fn heard(update: Update, log: &Log) -> Option<Request> {
    if let Update::Event(id, event) = &update {
        log.say(Said::Pool(*id, event.clone()));
    }
    update.into_request()
}
