//! What the counters of a real kernel tell when objects are zeroed, deleted and made again.

use std::fs;
use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use ipvs_netlink::growth::{Estimation, Grown, Growth, Reading, STEP};
use ipvs_netlink::{Destination, Service, ServiceId, Snapshot};

use super::{Lab, eventually, id, loopback, server};

fn virtual_address(host: u8) -> SocketAddr {
    (loopback(0, host), 80).into()
}

fn service(host: u8) -> ServiceId {
    ServiceId::tcp(virtual_address(host))
}

impl Lab {
    /// Adds a service with one server.
    fn add_service(&mut self, host: u8) {
        self.add(&Service::new(service(host)), &[1]);
    }

    fn add_server(&mut self, host: u8) {
        let server = Destination::masquerade(server(0));
        self.ipvs.add_destination(service(host), &server).unwrap();
    }

    /// Reads the table when each of these services has counted so many connections.
    fn read_when(&mut self, counted: &[(u8, u64)]) -> Snapshot {
        let mut read = Snapshot::default();
        eventually("the counters", || {
            read = self.ipvs.snapshot().unwrap();
            counted.iter().all(|(host, connections)| {
                let service = read.service(service(*host)).unwrap();
                let lists = service.destinations.iter().map(|it| it.stats.connections);
                service.entry.stats.connections == *connections
                    && lists.max().is_none_or(|most| most >= *connections)
            })
        });
        assert!(read.is_complete());
        read
    }
}

fn between<'s>(before: &'s Snapshot, after: &'s Snapshot) -> Growth<'s> {
    Growth::between(Reading::of(before).unwrap(), Reading::of(after).unwrap())
}

/// Returns what is told of a service and of its server, without the numbers of packets and bytes.
fn told(growth: &Growth<'_>, host: u8) -> (&'static str, u64, &'static str, u64) {
    let service = growth.service(service(host)).unwrap();
    let server = service.destinations().next().map(|it| it.grown());
    let word = |grown: Option<Grown>| match grown {
        Some(Grown::Continued { .. }) => "continued",
        Some(Grown::Started { .. }) => "started",
        Some(Grown::Reset { .. }) => "reset",
        Some(Grown::Uncertain { .. }) => "uncertain",
        Some(Grown::Ended) => "ended",
        _ => "nothing",
    };
    let count = |grown: Option<Grown>| grown.map_or(0, |it| it.least().connections);
    let own = Some(service.grown());
    (word(own), count(own), word(server), count(server))
}

const BUSY: u8 = 81;
const ZEROED: u8 = 82;
const REMADE: u8 = 83;
const TAKEN_BACK: u8 = 84;
const IN_TRASH: u8 = 85;
const NEW: u8 = 86;
const GONE: u8 = 87;

#[test]
fn growth_is_right_across_resets_and_the_trash() {
    let mut lab = Lab::with_servers(1);
    for host in [BUSY, ZEROED, REMADE, TAKEN_BACK, IN_TRASH, GONE] {
        lab.add_service(host);
        lab.visit(5, virtual_address(host));
    }
    let all = [BUSY, ZEROED, REMADE, TAKEN_BACK, IN_TRASH, GONE].map(|host| (host, 5));
    lab.read_when(&all);
    lab.ipvs.delete_destination(service(IN_TRASH), id(0)).unwrap();
    let before = lab.read_when(&all);

    lab.ipvs.zero_service(service(ZEROED)).unwrap();
    lab.ipvs.delete_service(service(REMADE)).unwrap();
    lab.add_service(REMADE);
    lab.ipvs.delete_destination(service(TAKEN_BACK), id(0)).unwrap();
    lab.add_server(TAKEN_BACK);
    lab.add_server(IN_TRASH);
    lab.add_service(NEW);
    lab.ipvs.delete_service(service(GONE)).unwrap();
    for host in [BUSY, ZEROED, REMADE, TAKEN_BACK, IN_TRASH, NEW] {
        lab.visit(3, virtual_address(host));
    }
    let after = lab.read_when(&[
        (BUSY, 8),
        (ZEROED, 3),
        (REMADE, 3),
        (TAKEN_BACK, 8),
        (IN_TRASH, 8),
        (NEW, 3),
    ]);

    let growth = between(&before, &after);
    for (host, expected) in [
        (BUSY, ("continued", 3, "continued", 3)),
        (ZEROED, ("reset", 3, "reset", 3)),
        (REMADE, ("reset", 3, "reset", 3)),
        (TAKEN_BACK, ("continued", 3, "continued", 3)),
        // The kernel went on from 5, which no reading shows.
        (IN_TRASH, ("continued", 3, "uncertain", 0)),
        (NEW, ("started", 3, "started", 3)),
        (GONE, ("ended", 0, "ended", 0)),
    ] {
        assert_eq!(told(&growth, host), expected, "{host}");
    }
    let in_trash = growth.service(service(IN_TRASH)).unwrap();
    let Some(Grown::Uncertain { most, .. }) = in_trash.destinations().next().map(|it| it.grown())
    else {
        panic!("{in_trash:?}");
    };
    assert_eq!(most.connections, 8);
    let total = growth.services_total();
    assert_eq!(total.growth.connections, 18);
    assert_eq!((total.known, total.reset, total.ended), (4, 2, 1));

    zeroing_everything_is_told(&mut lab, after);
    stopped_estimation_is_told(&mut lab);
}

fn zeroing_everything_is_told(lab: &mut Lab, before: Snapshot) {
    lab.ipvs.zero_all().unwrap();
    lab.visit(1, virtual_address(BUSY));
    let after = lab.read_when(&[(BUSY, 1), (ZEROED, 0)]);
    let growth = between(&before, &after);
    assert_eq!(told(&growth, BUSY), ("reset", 1, "reset", 1));
    assert_eq!(told(&growth, ZEROED), ("reset", 0, "reset", 0));
    assert_eq!(growth.services_total().growth.connections, 1);
}

/// With `run_estimation` of 0 nothing is counted, and later all of it at once.
fn stopped_estimation_is_told(lab: &mut Lab) {
    let set = |lab: &Lab, value: &str| {
        let sysctl = "/proc/sys/net/ipv4/vs/run_estimation";
        lab.namespace.run(|| fs::write(sysctl, value)).unwrap();
    };
    set(lab, "0");
    let before = lab.ipvs.snapshot().unwrap();
    lab.visit(4, virtual_address(BUSY));
    sleep(STEP + Duration::from_millis(500));
    let frozen = lab.ipvs.snapshot().unwrap();
    set(lab, "1");
    let after = lab.read_when(&[(BUSY, 5)]);

    let reading = |snapshot, on| Reading::of(snapshot).unwrap().estimation_enabled(on);
    let growth = Growth::between(reading(&before, false), reading(&frozen, false));
    assert_eq!(told(&growth, BUSY), ("continued", 0, "continued", 0));
    assert_eq!(growth.estimation(), Estimation::Stopped);
    assert_eq!(growth.total_rates(&growth.services_total()), None);
    let growth = Growth::between(reading(&frozen, false), reading(&after, true));
    assert_eq!(told(&growth, BUSY), ("continued", 4, "continued", 4));
    assert_eq!(growth.estimation(), Estimation::Stopped, "the growth is of an earlier time");
}
