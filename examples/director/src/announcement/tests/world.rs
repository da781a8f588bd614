//! A machine, its clock, and commands that the test ends.

use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::PoolEvent;
use ipvs_netlink::table::controller::Event;

use crate::announcement::{Action, Announcements, Outcome, Run, State, Watch};
use crate::configuration::{Commands, SharedAddress};

pub(super) const SECOND: Duration = Duration::from_secs(1);
/// How long checks may need at the start.
pub(super) const SETTLES: Duration = Duration::from_secs(11);

pub(super) fn id(port: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 10], port).into())
}

pub(super) fn commands(shared_address: SharedAddress) -> Commands {
    Commands {
        available: vec!["up".to_owned()],
        unavailable: vec!["down".to_owned()],
        timeout: 5 * SECOND,
        retry: 5 * SECOND,
        shared_address,
    }
}

pub(super) struct World {
    pub(super) machine: Announcements,
    pub(super) now: Instant,
    pub(super) running: Vec<Run>,
    pub(super) stopped: Vec<u64>,
}

impl World {
    pub(super) fn new() -> Self {
        let machine = Announcements::new(32);
        Self { machine, now: Instant::now(), running: Vec::new(), stopped: Vec::new() }
    }

    pub(super) fn watch(&mut self, service: ServiceId, commands: Commands) {
        self.watch_with(service, Some(commands), false);
    }

    pub(super) fn watch_with(
        &mut self,
        service: ServiceId,
        commands: Option<Commands>,
        is_serving: bool,
    ) {
        let watch = Watch { service, commands, settles: SETTLES, is_serving };
        self.machine.watch(watch, self.now);
    }

    /// The pool and the table have live destinations.
    pub(super) fn up(&mut self, service: ServiceId) {
        self.machine.pool_event(service, &PoolEvent::Available, self.now);
        self.machine.controller_event(&Event::Serving(service), self.now);
    }

    /// The destinations have died.
    pub(super) fn dies(&mut self, service: ServiceId) {
        self.machine.unavailable(service, self.now, self.now);
    }

    /// Starts what is due now. Returns what begins, such as `80 up`.
    pub(super) fn begin(&mut self) -> Vec<String> {
        let mut began = Vec::new();
        while let Some(action) = self.machine.due(self.now) {
            match action {
                Action::Start(run) => {
                    let port = run.service.address().unwrap().port();
                    began.push(format!("{port} {}", run.arguments[0]));
                    self.running.push(run);
                }
                Action::Stop(number) => {
                    let run = self.running.iter().find(|run| run.number == number).unwrap();
                    began.push(format!("stop {}", run.service.address().unwrap().port()));
                    self.stopped.push(number);
                }
            }
        }
        let next = self.machine.next(self.now);
        assert!(next.is_none_or(|next| next > self.now), "nothing is due any more");
        began
    }

    /// Ends the only command that runs.
    pub(super) fn end(&mut self, outcome: Outcome) {
        assert_eq!(self.running.len(), 1, "{:?}", self.running);
        let run = self.running.remove(0);
        self.machine.ended(run.number, outcome, self.now);
    }

    /// Ends all commands that run.
    pub(super) fn succeed(&mut self) {
        for run in std::mem::take(&mut self.running) {
            self.machine.ended(run.number, Outcome::Succeeded(String::new()), self.now);
        }
    }

    /// Starts what is due and lets it succeed, until nothing is due. Returns what began.
    pub(super) fn settle(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let began = self.begin();
            if began.is_empty() && self.running.is_empty() {
                return all;
            }
            all.extend(began);
            self.succeed();
        }
    }

    /// Lets time pass, and returns what begins meanwhile. Nothing ends.
    pub(super) fn pass(&mut self, time: Duration) -> Vec<String> {
        let end = self.now + time;
        let mut began = self.begin();
        while let Some(next) = self.machine.next(self.now).filter(|next| *next <= end) {
            self.now = next;
            began.extend(self.begin());
        }
        self.now = end;
        began
    }

    pub(super) fn status(&self, service: ServiceId) -> String {
        let status = self.machine.status(service, self.now);
        status.map(|status| status.to_string()).unwrap_or_default()
    }

    pub(super) fn told(&mut self) -> Vec<String> {
        let told = self.machine.told().collect::<Vec<_>>();
        told.iter().map(|told| told.event(std::time::UNIX_EPOCH).text).collect()
    }

    pub(super) fn is_told(&self, service: ServiceId, state: State) -> bool {
        let status = self.machine.status(service, self.now);
        status.is_some_and(|status| status.told == Some(state))
    }
}
