//! The program under test: a client, a controller and a runner, in the director's namespace.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{Probe, Runner, RunnerOptions, Update};
use ipvs_netlink::health::through::{MarkRange, Marks, ThroughError};
use ipvs_netlink::health::{Pace, PoolEvent, Verdict, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Event};
use ipvs_netlink::{Client, DestinationId, ServiceId, Snapshot};

use crate::network::Namespace;

/// The time to wait for what must come, long enough for an emulated machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

pub(crate) fn range() -> MarkRange {
    MarkRange::new(0x4000..=0x407f).unwrap()
}

pub(crate) fn marks(ipvs: &mut Client) -> Marks {
    Marks::new(range(), &ipvs.snapshot().unwrap()).unwrap()
}

/// Checks often, so that tests are short.
pub(crate) fn pace() -> Pace {
    Pace::new().interval(ms(150)).changing(ms(100)).down(ms(150)).rise(1).fall(2)
}

/// A check, and the service with this one check.
pub(crate) fn watched(service: TableService, probe: Probe) -> Watched<Probe> {
    Watched::new(service).check(probe.timeout(ms(700)), pace())
}

/// What the runner has said.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) verdicts: BTreeMap<(ServiceId, DestinationId), Verdict>,
    pub(crate) refused: Vec<(ServiceId, ThroughError)>,
    /// The services whose destinations drained.
    pub(crate) drained: Vec<ServiceId>,
    /// The services that were found to be gone.
    pub(crate) lost: Vec<ServiceId>,
}

/// A running program.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) runner: Arc<Runner>,
    said: Arc<Mutex<Said>>,
    ends: Arc<AtomicBool>,
    keeper: JoinHandle<()>,
}

impl Program {
    pub(crate) fn start(director: &Namespace, options: RunnerOptions) -> Self {
        let mut ipvs = Client::in_namespace_fd(director).unwrap();
        let runner = Arc::new(director.run(|| Runner::start(options)).unwrap());
        let said: Arc<Mutex<Said>> = Arc::default();
        let ends = Arc::new(AtomicBool::new(false));
        let (told, end, teller) = (Arc::clone(&said), Arc::clone(&ends), Arc::downgrade(&runner));
        let updates = runner.updates();
        let keep = move || {
            let options = ControllerOptions::new().resync(ms(2000));
            let mut controller = Controller::new(options);
            ipvs.keep(&mut controller, ms(10), |controller, event| {
                if let Some(event) = event {
                    match &event {
                        Event::DrainBegun { service, .. } => {
                            told.lock().unwrap().drained.push(*service);
                        }
                        Event::NotServing(service) => told.lock().unwrap().lost.push(*service),
                        _ => {}
                    }
                    if let Some(runner) = teller.upgrade() {
                        runner.event(&event);
                    }
                }
                while let Some(update) = updates.try_next() {
                    told.lock().unwrap().hear(&update);
                    if let Some(request) = update.into_request() {
                        controller.accept(request);
                    }
                }
                match end.load(Ordering::SeqCst) && controller.is_settled() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
        };
        let keeper = thread::Builder::new().spawn(keep).unwrap();
        Self { runner, said, ends, keeper }
    }

    pub(crate) fn watch(&self, watched: Watched<Probe>) {
        self.runner.watch(watched, None).unwrap();
    }

    /// Waits until something was said.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, holds: impl Fn(&Said) -> bool) {
        let begin = Instant::now();
        while !holds(&self.said.lock().unwrap()) {
            let said = self.said.lock().unwrap();
            assert!(begin.elapsed() < PATIENCE, "{what}: never; {said:#?}");
            drop(said);
            thread::sleep(ms(20));
        }
    }

    /// Waits until these destinations have these verdicts.
    #[track_caller]
    pub(crate) fn wait_for(&self, expected: &[(ServiceId, DestinationId, Verdict)]) {
        self.wait(&format!("{expected:#?}"), |said| {
            expected.iter().all(|(service, destination, verdict)| {
                said.verdicts.get(&(*service, *destination)) == Some(verdict)
            })
        });
    }

    pub(crate) fn verdict(
        &self,
        service: ServiceId,
        destination: DestinationId,
    ) -> Option<Verdict> {
        self.said.lock().unwrap().verdicts.get(&(service, destination)).copied()
    }

    /// Returns what the checks were refused for since the last call.
    pub(crate) fn refused(&self) -> Vec<(ServiceId, ThroughError)> {
        std::mem::take(&mut self.said.lock().unwrap().refused)
    }

    /// Waits until so many more checks have passed.
    #[track_caller]
    pub(crate) fn wait_for_checks(&self, more: u64) {
        let done = || {
            let stats = self.runner.stats();
            stats.passed + stats.failed
        };
        let (begin, before) = (Instant::now(), done());
        while done() < before + more {
            assert!(begin.elapsed() < PATIENCE, "{:?}", self.runner.stats());
            thread::sleep(ms(20));
        }
    }

    /// Ends the program, as one does that takes the last updates. No service of a mark has drained.
    pub(crate) fn stop(self) {
        let Self { runner, ends, keeper, said } = self;
        // The keeper uses it for moments only.
        let mut shared = runner;
        let runner = loop {
            match Arc::try_unwrap(shared) {
                Ok(runner) => break runner,
                Err(again) => shared = again,
            }
            thread::sleep(ms(1));
        };
        drop(runner);
        ends.store(true, Ordering::SeqCst);
        keeper.join().unwrap();
        let said = said.lock().unwrap();
        assert!(said.drained.iter().all(|id| id.address().is_some()), "{:?}", said.drained);
    }
}

impl Said {
    fn hear(&mut self, update: &Update) {
        match update {
            Update::Event(service, PoolEvent::Verdict { destination, verdict, .. }) => {
                self.verdicts.insert((*service, *destination), *verdict);
            }
            Update::Refused { service, error, .. } => self.refused.push((*service, error.clone())),
            _ => {}
        }
    }
}

/// Returns the services of marks that the table has.
pub(crate) fn mark_services(director: &Namespace) -> Vec<ServiceId> {
    let snapshot = table(director);
    snapshot.services().map(|there| there.id()).filter(|id| id.address().is_none()).collect()
}

pub(crate) fn table(director: &Namespace) -> Snapshot {
    Client::in_namespace_fd(director).unwrap().snapshot().unwrap()
}

/// Waits until the table has these services of marks and no others.
#[track_caller]
pub(crate) fn wait_for_mark_services(director: &Namespace, count: usize) -> Vec<ServiceId> {
    let begin = Instant::now();
    loop {
        let there = mark_services(director);
        if there.len() == count {
            return there;
        }
        assert!(begin.elapsed() < PATIENCE, "not {count}: {there:?}");
        thread::sleep(ms(20));
    }
}
