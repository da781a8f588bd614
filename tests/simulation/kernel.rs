//! The fake kernel, and the client through which all controllers reach it.

use std::time::Instant;

use ipvs_netlink::fake::{self, Errno, Namespace, Version};
use ipvs_netlink::table::controller::{Answer, Task, Work};
use ipvs_netlink::{Change, Client, Snapshot};

use crate::connections::Traffic;
use crate::faults::Fault;
use crate::health::Witness;
use crate::profile::Profile;
use crate::random::Random;

/// A fake kernel with a client.
#[derive(Debug)]
pub(crate) struct Kernel {
    fake: fake::Kernel,
    host: Namespace,
    client: Client,
    /// The fault that the present task meets, and the number of the request that meets it.
    armed: Option<(Fault, u64)>,
    met: Vec<Fault>,
    /// When the privilege and the module come back.
    denied: Option<Instant>,
    unloaded: Option<Instant>,
}

impl Kernel {
    pub(crate) fn new(profile: &Profile) -> Self {
        let mut random = Random::fork(profile.seed, "kernel");
        let version = random.one([Version::V6_1, Version::V6_12]);
        let fake = fake::Kernel::with_version(version);
        fake.keep_log(0);
        let client = Client::fake(&fake).expect("a client");
        let host = fake.initial();
        Self { host, client, fake, armed: None, met: Vec::new(), denied: None, unloaded: None }
    }

    pub(crate) fn now(&self) -> Instant {
        self.fake.now()
    }

    pub(crate) fn wait_until(&mut self, time: Instant) {
        self.fake.advance(time.saturating_duration_since(self.now()));
        self.come_back();
    }

    pub(crate) fn requests(&self) -> u64 {
        self.fake.requests()
    }

    /// The table as it is, which nobody else knows.
    pub(crate) fn truth(&self) -> Snapshot {
        self.host.table()
    }

    /// Sets connections and counters. Destinations that are gone have none.
    pub(crate) fn traffic(&mut self, all: &[Traffic]) {
        for Traffic { service, destination, connections, packets } in all {
            let Some(entry) = self.host.destination(*service, *destination) else { continue };
            let mut stats = entry.stats;
            stats.incoming_packets += packets;
            let there = "the destination is there";
            self.host.set_connections(*service, *destination, *connections).expect(there);
            self.host.set_stats(*service, *destination, &stats).expect(there);
        }
    }

    /// Lets a witness see each state of the table. Faults would send it away.
    pub(crate) fn show(&self, witness: &Witness) {
        witness.attach(&self.fake);
    }

    /// Asks a witness what it has seen.
    pub(crate) fn ask(&self, witness: &Witness) -> Result<(), String> {
        witness.testify(&self.host)
    }

    /// Makes changes as another program. What the kernel refuses is not done.
    pub(crate) fn write(&mut self, changes: &[Change]) {
        for change in changes {
            let _ = self.host.write(change);
        }
    }

    /// Lets a fault happen in the next task, or from now on. `others` are written by another
    /// program at that moment.
    pub(crate) fn arm(&mut self, fault: Fault, others: Vec<Change>) {
        let now = self.now();
        let plan = |request: u32, kind| {
            let nth = u64::from(request) + 1;
            self.fake.fail(nth, kind);
            Some(nth)
        };
        let nth = match fault {
            Fault::Errno { request, errno } => {
                plan(request, fake::Fault::Refused(Errno::new(errno)))
            }
            Fault::LostAnswer { request } => plan(request, fake::Fault::AnswerLost),
            Fault::Overflow { request } => plan(request, fake::Fault::Overflow),
            Fault::Truncation { request } => plan(request, fake::Fault::Truncated),
            Fault::Latency { request, time } => plan(request, fake::Fault::Latency(time)),
            Fault::Between { request } => {
                let nth = u64::from(request) + 1;
                self.fake.before(nth, move |kernel| {
                    let host = kernel.initial();
                    for change in &others {
                        let _ = host.write(change);
                    }
                });
                Some(nth)
            }
            Fault::Unreadable => {
                self.fake.intercept(|_, request| {
                    let reads = request.operation().is_some_and(|operation| !operation.is_write());
                    reads.then_some(fake::Fault::Refused(Errno::INVAL))
                });
                Some(1)
            }
            Fault::Denied(time) => {
                self.fake.set_privileged(false);
                self.denied = Some(now + time);
                None
            }
            Fault::Unloaded(time) => {
                self.fake.unload();
                self.fake.set_loadable(false);
                self.unloaded = Some(now + time);
                None
            }
        };
        match nth {
            Some(nth) => self.armed = Some((fault, self.fake.requests() + nth)),
            None => self.met.push(fault),
        }
    }

    /// Does a task, or the other work that a broken controller makes of it. A fault that it does
    /// not meet never happens.
    pub(crate) fn perform(&mut self, task: &Task, work: &Work) -> Answer {
        self.come_back();
        let answer = match work {
            Work::Write(changes) if work != task.work() => {
                Answer::Written(self.client.submit(changes))
            }
            _ => self.client.perform(task),
        };
        if let Some((fault, request)) = self.armed.take() {
            self.fake.clear_faults();
            let spared = fault == Fault::Unreadable && matches!(work, Work::Write(_));
            if self.fake.requests() >= request && !spared {
                self.met.push(fault);
            }
        }
        answer
    }

    /// The faults that have happened since this was asked last.
    pub(crate) fn met(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.met)
    }

    /// Ends all faults.
    pub(crate) fn heal(&mut self) {
        let now = self.now();
        self.denied = self.denied.map(|_| now);
        self.unloaded = self.unloaded.map(|_| now);
        self.come_back();
    }

    /// Gives back the privilege and the module, if it is time.
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
