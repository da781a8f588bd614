//! A network with servers, and what all tests do with it.

use std::net::SocketAddr;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::health::probe::{HttpCheck, Probe};
use ipvs_netlink::health::{Pace, PoolEvent, Verdict, Watched};
use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{Client, Destination, DestinationId, Scheduler, Service, ServiceId};

use crate::certificates::Certificates;
use crate::crowd::{Crowd, Visits};
use crate::director::{Director, Form};
use crate::log::{Log, PATIENCE, Said};
use crate::network::{Network, server_addresses, virtual_addresses};
use crate::pulse::Pulse;
use crate::server::{Manners, Process, Servers, wait_for};

pub(crate) const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The longest time for a check.
pub(crate) const TIMEOUT: Duration = ms(1000);

/// A network, and servers in it.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) network: Network,
    pub(crate) servers: Servers,
    pub(crate) log: Log,
    pulse: Pulse,
}

impl Lab {
    pub(crate) fn with_hosts(count: u8) -> Self {
        let network = Network::with_servers(count).expect("CAP_SYS_ADMIN");
        Self { network, servers: Servers::new(), log: Log::default(), pulse: Pulse::start() }
    }

    /// Starts a server on each of these hosts, in this process.
    pub(crate) fn serve(&self, port: u16, hosts: &[u8]) -> Vec<Manners> {
        let start = |host: &u8| {
            let namespace = &self.network.servers[usize::from(*host)];
            self.servers.start(namespace, at(*host, port), &format!("server {host}"), None)
        };
        hosts.iter().map(start).collect()
    }

    /// Starts a server that speaks TLS on each of these hosts, in this process.
    pub(crate) fn serve_tls(
        &self,
        port: u16,
        hosts: &[u8],
        certificates: &Certificates,
    ) -> Vec<Manners> {
        let start = |host: &u8| {
            let namespace = &self.network.servers[usize::from(*host)];
            let name = format!("server {host}");
            self.servers.start(namespace, at(*host, port), &name, Some(certificates))
        };
        hosts.iter().map(start).collect()
    }

    /// Starts a server in a process of its own.
    pub(crate) fn process(&self, port: u16, host: u8) -> Process {
        let namespace = &self.network.servers[usize::from(host)];
        Process::start(namespace, at(host, port), &format!("server {host}"))
    }

    /// Waits until a server answers.
    pub(crate) fn wait_for(&self, host: u8, port: u16) {
        wait_for(&self.network.servers[usize::from(host)], at(host, port));
    }

    /// Starts a program with the blocking client.
    pub(crate) fn director(&self, watched: Vec<Watched<Probe>>) -> Director {
        Director::start(Form::Blocking, &self.network.director, &self.log, watched)
    }

    /// Starts clients of these services.
    pub(crate) fn crowd(&self, ports: &[u16], rate: u32) -> Crowd {
        let addresses: Vec<_> = ports.iter().copied().map(vip).collect();
        Crowd::start(&self.network.client, &addresses, rate, None)
    }

    /// Returns what the table holds.
    pub(crate) fn table(&self) -> Table {
        let mut ipvs = Client::in_namespace_fd(&self.network.director).unwrap();
        Table::from(&ipvs.snapshot().unwrap())
    }

    /// Returns what the table holds, without what drains and what is dead.
    pub(crate) fn in_rotation(&self) -> Table {
        let mut table = self.table();
        let ids: Vec<_> = table.services().map(TableService::id).collect();
        for id in ids {
            table.edit(id, |service| service.retain(|there| there.weight() != Some(0)));
        }
        table
    }

    /// Asserts that not much more time has passed than the bound, and what a busy machine adds.
    #[track_caller]
    pub(crate) fn assert_within(&self, what: &str, from: Instant, to: Instant, bound: Duration) {
        let took = to.saturating_duration_since(from);
        let delay = self.pulse.delay(from, to);
        let most = 2 * bound + ms(1000) + 5 * delay;
        assert!(took <= most, "{what}: {took:?}, the bound is {bound:?}, delays {delay:?}");
    }

    /// Runs iproute2 on a host.
    pub(crate) fn ip(&self, host: u8, arguments: &str) {
        let run = || Command::new("ip").args(arguments.split(' ')).status();
        assert!(self.network.servers[usize::from(host)].run(run).unwrap().success(), "{arguments}");
    }

    /// Waits until nothing of the services is unknown to the program that started at `begin`.
    pub(crate) fn wait_for_verdicts(&self, watched: &[Watched<Probe>], begin: Instant) {
        for watched in watched {
            for there in watched.service.destinations() {
                self.verdict(watched.id(), there.id(), None, begin);
            }
        }
    }

    /// Waits for a verdict on a destination, and returns when it came.
    pub(crate) fn verdict(
        &self,
        service: ServiceId,
        destination: DestinationId,
        wanted: Option<Verdict>,
        since: Instant,
    ) -> Instant {
        let what = format!("{service} -> {destination}");
        self.log.wait(&what, since, |at, said| match said {
            Said::Pool(id, PoolEvent::Verdict { destination: there, verdict, .. })
                if *id == service
                    && *there == destination
                    && wanted.is_none_or(|wanted| wanted == *verdict) =>
            {
                Some(at)
            }
            _ => None,
        })
    }

    /// Waits until a destination has no weight, and returns when it lost it.
    pub(crate) fn out(&self, service: ServiceId, there: DestinationId, since: Instant) -> Instant {
        self.weight(service, there, since, |weight| weight.is_none_or(|weight| weight == 0))
    }

    /// Waits until this is in rotation. On a busy machine a check takes too long now and then.
    #[track_caller]
    pub(crate) fn wait_for_rotation(&self, wanted: &Table) {
        let begin = Instant::now();
        while self.in_rotation() != *wanted {
            assert!(begin.elapsed() < PATIENCE, "{}\nis never as wanted:\n{wanted}", self.table());
            sleep(ms(20));
        }
    }

    /// Waits until a destination has a weight, and returns when it got it.
    pub(crate) fn back(&self, service: ServiceId, there: DestinationId, since: Instant) -> Instant {
        self.weight(service, there, since, |weight| weight.is_some_and(|weight| weight > 0))
    }

    /// Waits until all destinations of a service have a weight.
    pub(crate) fn all_back(&self, watched: &Watched<Probe>, since: Instant) {
        for there in watched.service.destinations() {
            self.back(watched.id(), there.id(), since);
        }
    }

    fn weight(
        &self,
        service: ServiceId,
        there: DestinationId,
        since: Instant,
        wanted: impl Fn(Option<u32>) -> bool,
    ) -> Instant {
        let begin = Instant::now();
        loop {
            let weights = self.log.weights(service, there, since);
            if let Some((at, _)) = weights.into_iter().find(|(_, weight)| wanted(*weight)) {
                return at;
            }
            let all = self.log.since(since);
            assert!(begin.elapsed() < PATIENCE, "{service} -> {there}: never; {all:#?}");
            sleep(ms(20));
        }
    }
}

/// The address of a service for each port.
pub(crate) fn vip(port: u16) -> SocketAddr {
    (virtual_addresses(0).v4, port).into()
}

/// The id of the service of a port.
pub(crate) fn id(port: u16) -> ServiceId {
    service(port, &[]).id()
}

pub(crate) fn at(host: u8, port: u16) -> SocketAddr {
    (server_addresses(host).v4, port).into()
}

/// A service in turn to servers on these hosts, all at the port of the service.
pub(crate) fn service(port: u16, hosts: &[u8]) -> TableService {
    let service = Service::tcp(vip(port)).scheduler(Scheduler::ROUND_ROBIN);
    hosts.iter().fold(TableService::new(service), |service, host| {
        service.with(Destination::masquerade(at(*host, port)))
    })
}

/// A request that must be answered with 200.
pub(crate) fn http() -> Probe {
    Probe::http(request()).timeout(TIMEOUT)
}

/// The same over TLS.
pub(crate) fn https(certificates: &Certificates) -> Probe {
    Probe::http(request().tls(certificates.options())).timeout(TIMEOUT)
}

fn request() -> HttpCheck {
    HttpCheck::get("/check").and_then(|check| check.status(200..=200)).unwrap()
}

/// A pace for tests.
pub(crate) fn pace() -> Pace {
    Pace::new().interval(ms(200)).changing(ms(100)).down(ms(200)).fall(3).rise(2).damping(None)
}

/// Counts the failed connections of a fault. Asserts that each of them went on at some time
/// between the fault and its end.
#[track_caller]
pub(crate) fn failed_meanwhile(
    visits: &Visits,
    to: SocketAddr,
    fault: Instant,
    end: Instant,
) -> usize {
    let failed = visits.failed(to);
    for visit in &failed {
        let meanwhile = visit.begin <= end && visit.end >= fault;
        assert!(meanwhile, "{to}: failed at another time: {visit:?}");
    }
    failed.len()
}

/// Asserts that each client of a service was answered, and says how many that were.
#[track_caller]
pub(crate) fn assert_none_failed(what: &str, visits: &Visits, port: u16) {
    let failed = visits.failed(vip(port));
    let all = visits.to(vip(port)).len();
    println!("{what:40} failed {} of {all}", failed.len());
    assert!(all > 20, "{what}: {all} clients");
    assert!(failed.is_empty(), "{what}: {failed:#?}");
}
