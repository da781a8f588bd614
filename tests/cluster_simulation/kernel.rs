//! The fake kernel with its faults, the client of the agent, and the other program.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ipvs_netlink::fake::{self, Errno, Fault, Namespace, Version};
use ipvs_netlink::table::controller::{Answer, Task};
use ipvs_netlink::table::{Network, Table};
use ipvs_netlink::{Change, Client, Connections, Destination, Scheduler, Service, ServiceId};

use crate::random::Random;

/// The network of the other program, which the agent leaves alone.
pub(crate) const FOREIGN: &str = "203.0.113.128/25";

/// The kernel.
#[derive(Debug)]
pub(crate) struct Kernel {
    random: Random,
    fake: fake::Kernel,
    host: Namespace,
    client: Client,
    foreign: Network,
    /// A request of the agent that writes a service of the other program.
    trespass: Arc<Mutex<Option<String>>>,
    /// When the privilege and the module come back.
    denied: Option<Instant>,
    unloaded: Option<Instant>,
}

impl Kernel {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::fork(seed, "kernel");
        let fake = fake::Kernel::with_version(random.one([Version::V6_1, Version::V6_12]));
        fake.keep_log(0);
        let client = Client::fake(&fake).expect("a client");
        let kernel = Self {
            random,
            host: fake.initial(),
            client,
            foreign: FOREIGN.parse().expect("a network"),
            fake,
            trespass: Arc::default(),
            denied: None,
            unloaded: None,
        };
        kernel.watch();
        kernel
    }

    /// Looks at each request of the agent.
    fn watch(&self) {
        let (trespass, foreign) = (Arc::clone(&self.trespass), self.foreign);
        self.fake.intercept(move |_, request| {
            let change = request.change()?;
            let id = service_of(&change)?;
            if is_within(foreign, id) {
                *trespass.lock().expect("no panic") = Some(change.to_string());
            }
            None
        });
    }

    pub(crate) fn now(&self) -> Instant {
        self.fake.now()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.fake.requests()
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.fake.elapsed()
    }

    pub(crate) fn wait_until(&mut self, time: Instant) {
        self.fake.advance(time.saturating_duration_since(self.now()));
        self.come_back();
    }

    /// Does a task of the agent.
    pub(crate) fn perform(&mut self, task: &Task) -> Result<Answer, String> {
        let answer = self.client.perform(task);
        match self.trespass.lock().expect("no panic").take() {
            Some(change) => Err(format!("writes a service of another program: {change}")),
            None => Ok(answer),
        }
    }

    /// Returns what there is of the agent, and of the other program.
    pub(crate) fn tables(&self) -> (Table, Table) {
        let all = Table::from(&self.host.table());
        let (foreign, own) =
            all.services().cloned().partition::<Vec<_>, _>(|it| is_within(self.foreign, it.id()));
        (own.into_iter().collect(), foreign.into_iter().collect())
    }

    /// Lets the other program write.
    pub(crate) fn others_write(&mut self) {
        for change in self.foreign_changes() {
            let _ = self.host.write(&change);
        }
    }

    /// Changes that the other program makes: of its own services, or of any that is there.
    fn foreign_changes(&mut self) -> Vec<Change> {
        let random = &mut self.random;
        let host = 129 + random.below(4);
        let own = format!("203.0.113.{host}:80").parse().expect("an address");
        let server = |random: &mut Random| {
            let host = random.between(1, 6);
            let address = format!("10.1.0.{host}:8080").parse().expect("an address");
            Destination::masquerade(address).weight(random.one([0, 1, 1, 5]))
        };
        if random.chance(30) {
            let service = Service::tcp(own).scheduler(Scheduler::ROUND_ROBIN);
            let add = Change::AddDestination(service.id, server(random));
            return vec![Change::AddService(service), add];
        }
        let there = self.host.table();
        let ids: Vec<_> = there.services().map(|present| present.id()).collect();
        let Some(id) = random.pick(&ids).copied() else { return Vec::new() };
        let entries = there.service(id).map(|it| it.destinations.clone()).unwrap_or_default();
        let entry = random.pick(&entries).cloned();
        vec![match (random.below(100), entry) {
            (0..15, _) => Change::DeleteService(id),
            (15..18, _) => Change::Flush,
            (18..30, _) => {
                Change::UpdateService(Service::new(id).scheduler(Scheduler::SOURCE_HASHING))
            }
            (30..55, Some(entry)) => Change::DeleteDestination(id, entry.destination.id),
            (55..80, Some(entry)) => {
                Change::UpdateDestination(id, entry.destination.weight(random.one([0, 1, 2])))
            }
            _ => Change::AddDestination(id, server(random)),
        }]
    }

    /// Lets something go wrong, soon or from now on, and returns its name.
    pub(crate) fn break_something(&mut self) -> &'static str {
        let nth = u64::from(self.random.one([1_u32, 1, 2, 3, 5, 9, 17]));
        let time = self.random.pause(10, 15_000);
        // Not SRCH: no sound kernel says of a service that is there that there is none.
        let errnos = [Errno::INVAL, Errno::NOENT, Errno::EXIST, Errno::NOMEM];
        let (name, fault) = match self.random.below(100) {
            0..25 => ("refused", Fault::Refused(self.random.one(errnos))),
            25..40 => ("answer-lost", Fault::AnswerLost),
            40..55 => ("overflow", Fault::Overflow),
            55..65 => ("truncated", Fault::Truncated),
            65..70 => ("latency", Fault::Latency(time)),
            70..75 => ("not-sent", Fault::NotSent(Errno::NOBUFS)),
            75..80 => {
                self.fake.set_privileged(false);
                self.denied = Some(self.now() + time);
                return "denied";
            }
            80..88 => {
                self.fake.unload();
                self.fake.set_loadable(false);
                self.unloaded = Some(self.now() + time);
                return "unloaded";
            }
            _ => {
                let changes = self.foreign_changes();
                self.fake.before(nth, move |kernel| {
                    for change in changes {
                        let _ = kernel.initial().write(&change);
                    }
                });
                return "between";
            }
        };
        self.fake.fail(nth, fault);
        name
    }

    /// Gives some destinations connections, and takes those of others.
    pub(crate) fn change_connections(&mut self) {
        for present in &self.host.table() {
            for entry in &present.destinations {
                if self.random.chance(60) {
                    continue;
                }
                let mut connections = Connections::default();
                if entry.destination.weight > 0 {
                    connections.active = self.random.below(3);
                }
                connections.inactive = self.random.below(2);
                let there = "the destination is there";
                self.host
                    .set_connections(present.id(), entry.destination.id, connections)
                    .expect(there);
            }
        }
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        self.fake.clear_faults();
        self.watch();
        let now = self.now();
        self.denied = self.denied.map(|_| now);
        self.unloaded = self.unloaded.map(|_| now);
        self.come_back();
    }

    fn come_back(&mut self) {
        let now = self.now();
        if self.denied.take_if(|until| *until <= now).is_some() {
            self.fake.set_privileged(true);
        }
        if self.unloaded.take_if(|until| *until <= now).is_some() {
            self.fake.set_loadable(true);
        }
    }
}

/// Returns the service that a change writes.
fn service_of(change: &Change) -> Option<ServiceId> {
    Some(match change {
        Change::AddService(service) | Change::UpdateService(service) => service.id,
        Change::DeleteService(id)
        | Change::AddDestination(id, _)
        | Change::UpdateDestination(id, _)
        | Change::DeleteDestination(id, _) => *id,
        _ => return None,
    })
}

fn is_within(network: Network, id: ServiceId) -> bool {
    id.address().is_some_and(|at| network.contains(at.ip()))
}
