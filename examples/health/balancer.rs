//! A load balancer whose dead servers leave the rotation: the part to copy into a program of your
//! own.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use ipvs_netlink::health::probe::{Exchange, Probe, Runner, RunnerOptions, Update, Updates};
use ipvs_netlink::health::{Maintenance, MaintenanceKind, Pace, PoolPolicy, SlowStart, Watched};
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::{Controller, ControllerOptions};
use ipvs_netlink::{Client, Destination, DestinationId, Scheduler, Service, ServiceId};

use crate::Result;
use crate::network::Network;
use crate::stage::{server, web};

/// What is checked: a server answers a question within half a second.
pub(crate) fn probe() -> Probe {
    Probe::tcp_exchange(Exchange::new("who is there?\n", "\n")).timeout(Duration::from_millis(500))
}

/// How often that is checked, and how many results in a row decide.
pub(crate) const PACE: Pace = Pace::new()
    .interval(Duration::from_millis(200))
    .changing(Duration::from_millis(100))
    .down(Duration::from_millis(200))
    .fall(2)
    .rise(2);

/// How long a server that comes back has less than its weight.
pub(crate) const SLOW_START: Duration = Duration::from_secs(1);

/// What the table is to hold.
fn watched() -> Watched<Probe> {
    // `wlc` would send nearly all clients to a server that refuses them: it has the fewest
    // connections.
    let mut service =
        TableService::new(Service::tcp(web()).scheduler(Scheduler::WEIGHTED_ROUND_ROBIN));
    for n in 0..3 {
        service.insert(Destination::masquerade(server(n)).weight(10));
    }
    let policy = PoolPolicy::new()
        .sorry(Some(Destination::masquerade(server(3))))
        .slow_start(Some(SlowStart::new(SLOW_START).steps(5)));
    Watched::new(service).check(probe(), PACE).policy(policy)
}

/// Checks the servers, and keeps the kernel's table accordingly.
#[derive(Debug)]
pub(crate) struct Balancer {
    web: ServiceId,
    runner: Runner,
    keeper: JoinHandle<()>,
}

impl Balancer {
    pub(crate) fn start(network: &Network) -> Result<Self> {
        let watched = watched();
        let web = watched.id();
        let mut ipvs = Client::in_namespace_fd(&network.director)?;
        // What the table holds now stays there until a check has decided otherwise.
        let held = ipvs.snapshot_of(&[web])?.service(web).cloned();
        // Checks come from the network namespace of the thread that starts the runner.
        let runner = network.director.run(|| Runner::start(RunnerOptions::new()))?;
        runner.watch(watched, held)?;
        let updates = runner.updates();
        let keeper = thread::Builder::new().spawn(move || keep(ipvs, &updates))?;
        Ok(Self { web, runner, keeper })
    }

    /// Takes a server out of rotation for its operator. Its connections continue.
    pub(crate) fn drain(&self, server: impl Into<DestinationId>) {
        let drain = Maintenance::new(MaintenanceKind::Drain, "the operator");
        self.runner.maintain(self.web, server.into(), drain);
    }

    /// Leaves the server to its checks again.
    pub(crate) fn undrain(&self, server: impl Into<DestinationId>) {
        self.runner.end_maintenance(self.web, server.into());
    }

    /// Ends the program. The table stays as it is.
    pub(crate) fn stop(self) {
        drop(self.runner);
        self.keeper.join().ok();
    }
}

/// Keeps the table as the checks say, until the runner ends.
fn keep(mut ipvs: Client, updates: &Updates) {
    let mut controller = Controller::new(ControllerOptions::new());
    while !updates.has_ended() {
        let stepped = ipvs.step(&mut controller);
        // Log these events, and the other updates.
        controller.events().for_each(drop);
        let update = updates.next_within(stepped.pause(ipvs.now()));
        if let Some(request) = update.and_then(Update::into_request) {
            controller.accept(request);
        }
    }
}
