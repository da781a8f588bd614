//! Plans under traffic: clients open connections and hold some all the while, and lose
//! none that a plan can spare.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_netlink::table::{
    DrainPolicy, DrainUntil, Drained, OnFailure, Plan, PlanOptions, Progress, Scope, StepOutcome,
    Table, TableService,
};
use ipvs_netlink::{Client, Destination, Scheduler, Service, ServiceFlags};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

use super::greeting::Connection;
use super::{Lab, WEB, answered, id, server};

fn web(scheduler: Scheduler) -> Service {
    Service::tcp(WEB).scheduler(scheduler)
}

fn table(service: &Service, servers: &[(u16, u32)]) -> Table {
    let destinations =
        servers.iter().map(|(n, weight)| Destination::masquerade(server(*n)).weight(*weight));
    [destinations.fold(TableService::new(service.clone()), TableService::with)]
        .into_iter()
        .collect()
}

/// Waits for what carries data; what is being closed takes two minutes more.
fn gently() -> PlanOptions {
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(10))
        .deadline(Some(Duration::from_secs(20)));
    PlanOptions::new().scope(Scope::new().everything()).drain(Some(policy))
}

/// Makes the table what it is before the traffic.
fn establish(ipvs: &mut Client, desired: &Table) {
    assert!(ipvs.reconcile(desired, &gently()).unwrap().is_done());
}

/// How many connections were opened, and how many of them failed.
#[derive(Debug)]
struct Tally {
    opened: usize,
    failed: usize,
}

impl Tally {
    fn report(&self, what: &str) {
        let Self { opened, failed } = self;
        say(&format!("{what}: {failed} of {opened} new connections failed"));
    }
}

/// Past the test harness, which shows nothing of a test that passes.
fn say(text: &str) {
    let mut stderr = io::stderr();
    writeln!(stderr, "{text}").unwrap();
}

/// Clients that open connections, one after the other, as long as it lasts.
#[derive(Default)]
struct Traffic {
    finished: AtomicBool,
    opened: AtomicUsize,
    failed: AtomicUsize,
}

impl Traffic {
    const CLIENTS: usize = 3;

    fn open(&self) -> io::Result<()> {
        while !self.finished.load(Ordering::Relaxed) {
            let flags = SockFlag::SOCK_CLOEXEC;
            let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
            let visit = Connection::over(socket, WEB).and_then(|mut open| open.close());
            self.opened.fetch_add(1, Ordering::Relaxed);
            self.failed.fetch_add(usize::from(visit.is_err()), Ordering::Relaxed);
        }
        Ok(())
    }

    /// Lets so many connections be opened.
    fn pass(&self, count: usize) {
        let until = self.opened.load(Ordering::Relaxed) + count;
        while self.opened.load(Ordering::Relaxed) < until {
            thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Does `work` while connections are opened.
fn under_traffic(lab: &mut Lab, work: impl FnOnce(&mut Client, &Traffic)) -> Tally {
    let traffic = Traffic::default();
    let Lab { namespace, ipvs } = lab;
    thread::scope(|scope| {
        for _ in 0..Traffic::CLIENTS {
            scope.spawn(|| namespace.run(|| traffic.open()));
        }
        // Work that panics ends the traffic, too.
        let _end = Finally(|| traffic.finished.store(true, Ordering::Relaxed));
        traffic.pass(5);
        work(ipvs, &traffic);
        traffic.pass(5);
    });
    Tally { opened: traffic.opened.into_inner(), failed: traffic.failed.into_inner() }
}

struct Finally<F: FnMut()>(F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Applies the plan to `desired`. Connections in `held` are asked at every look, and
/// closed at the third.
fn change(ipvs: &mut Client, desired: &Table, held: &mut Vec<Connection>) {
    let plan = Plan::new(&ipvs.snapshot().unwrap(), desired, &gently()).unwrap();
    let mut looks = 0;
    let applied = ipvs.apply_with(&plan, |progress| {
        let Progress::Draining(_) = progress else { return ControlFlow::Continue(()) };
        looks += 1;
        for connection in &mut *held {
            assert_eq!(connection.ask().unwrap(), connection.server, "a held connection");
        }
        if looks == 3 {
            held.iter_mut().for_each(|connection| connection.close().unwrap());
            held.clear();
        }
        ControlFlow::Continue(())
    });
    assert!(applied.is_done(), "{plan}{applied:?}");
    assert!(!applied.outcomes().any(|outcome| matches!(outcome, StepOutcome::Expired(_))));
}

/// Replaces all servers, changes weights, flags and persistence, for a while.
fn replacing(scheduler: Scheduler, flags: ServiceFlags) -> Tally {
    let mut lab = Lab::with_servers(4);
    let service = web(scheduler).flags(flags);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
    let mut held = lab.hold(4, WEB);
    let tally = under_traffic(&mut lab, |ipvs, traffic| {
        for round in 0..2 {
            let tables = [
                table(&service, &[(2, 1), (3, 2)]),
                table(&service, &[(1, 1), (2, 7), (3, 1)]),
                table(&service.clone().flags(flags | ServiceFlags::SCHED_3), &[(0, 2), (1, 1)]),
                table(&service.clone().persistent(Duration::from_secs(60)), &[(0, 1), (1, 1)]),
                table(&service, &[(0, 1), (1, 0)]),
                table(&service, &[(0, 1), (1, 1)]),
            ];
            for desired in &tables {
                change(ipvs, desired, &mut held);
                traffic.pass(5);
            }
            assert!(held.is_empty(), "round {round}");
        }
    });
    tally.report(&format!("{scheduler} {}", flags.scheduler_flags(scheduler)));
    tally
}

#[test]
fn plans_lose_no_connection() {
    for (scheduler, flags) in [
        (Scheduler::ROUND_ROBIN, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_ROUND_ROBIN, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_LEAST_CONNECTION, ServiceFlags::empty()),
        (Scheduler::SHORTEST_EXPECTED_DELAY, ServiceFlags::empty()),
        (Scheduler::NEVER_QUEUE, ServiceFlags::empty()),
        (Scheduler::WEIGHTED_FAILOVER, ServiceFlags::empty()),
        (Scheduler::SOURCE_HASHING, ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT),
        (Scheduler::MAGLEV_HASHING, ServiceFlags::MH_FALLBACK | ServiceFlags::MH_PORT),
    ] {
        let Tally { opened, failed } = replacing(scheduler, flags);
        assert_eq!(failed, 0, "{scheduler}: of {opened}");
        assert!(opened > 60, "{scheduler}: {opened}");
    }
}

/// These refuse the clients of a server of weight 0, so that servers leave at once, and
/// connections that are just being opened to one may break.
#[test]
fn what_hashing_without_fallback_costs_is_measured() {
    for scheduler in
        [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING, Scheduler::DESTINATION_HASHING]
    {
        let mut lab = Lab::with_servers(4);
        let service = web(scheduler);
        establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
        let tally = under_traffic(&mut lab, |ipvs, traffic| {
            for round in 0..4 {
                let first = round % 2 * 2;
                change(ipvs, &table(&service, &[(first, 1), (first + 1, 1)]), &mut Vec::new());
                traffic.pass(10);
            }
        });
        tally.report(&format!("{scheduler} without fallback, 4 plans"));
        // Each plan cuts at most what is being opened at its moment.
        assert!(tally.failed <= 4 * Traffic::CLIENTS, "{tally:?}");
    }
}

#[test]
fn what_a_change_of_the_scheduler_costs_is_measured() {
    let mut lab = Lab::with_servers(2);
    let servers = [(0, 1), (1, 1)];
    let schedulers = [Scheduler::ROUND_ROBIN, Scheduler::WEIGHTED_LEAST_CONNECTION];
    establish(&mut lab.ipvs, &table(&web(schedulers[1]), &servers));
    let mut held = lab.hold(4, WEB);
    let tally = under_traffic(&mut lab, |ipvs, traffic| {
        for scheduler in schedulers.iter().cycle().take(20) {
            change(ipvs, &table(&web(*scheduler), &servers), &mut Vec::new());
            traffic.pass(10);
        }
    });
    tally.report("20 changes of the scheduler");
    for connection in &mut held {
        assert_eq!(connection.ask().unwrap(), connection.server);
    }
}

/// What other tools do: delete, then add. If this lost nothing, the other tests could not
/// fail.
#[test]
fn deleting_before_adding_loses_connections() {
    let mut lab = Lab::with_servers(4);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
    let mut held = lab.hold(4, WEB);
    let tally = under_traffic(&mut lab, |ipvs, traffic| {
        for round in 0..6 {
            let (old, new) = if round % 2 == 0 { ([0, 1], [2, 3]) } else { ([2, 3], [0, 1]) };
            for n in old {
                ipvs.delete_destination(service.id, id(n)).unwrap();
            }
            // As long as a program takes to go on.
            thread::sleep(Duration::from_millis(5));
            for n in new {
                ipvs.add_destination(service.id, &Destination::masquerade(server(n))).unwrap();
            }
            traffic.pass(10);
        }
        ipvs.delete_destination(service.id, id(0)).unwrap();
        ipvs.delete_destination(service.id, id(1)).unwrap();
    });
    tally.report("delete, then add, 6 times");
    assert!(tally.failed > 0, "{tally:?}");
    let cut = held.iter_mut().filter(|connection| answered(connection) < 2);
    assert!(cut.map(|connection| connection.ask()).all(|answer| answer.is_err()));
}

#[test]
fn a_drain_waits_for_the_last_connection_or_the_deadline() {
    let mut lab = Lab::with_servers(2);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[4, 1]);
    let mut held = lab.hold(2, WEB);
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(10))
        .deadline(None);

    // Whoever watches may give up, and somebody else go on.
    let given_up = lab.ipvs.drain_with(service, id(0), policy, |progress| {
        assert_eq!((progress.waiting, progress.connections.active, progress.left), (1, 1, None));
        ControlFlow::Break(())
    });
    assert!(matches!(given_up.unwrap(), Drained::Cancelled { weight: 4, .. }));
    assert_eq!(lab.entry(service, 0).destination.weight, 0);
    lab.ipvs.set_weight(service, id(0), 4).unwrap();
    assert_eq!(lab.entry(service, 0).destination.weight, 4);

    let mut looks = 0;
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        looks += 1;
        for connection in held.iter_mut().filter(|connection| answered(connection) == 0) {
            connection.ask().unwrap();
            if looks == 5 {
                connection.close().unwrap();
            }
        }
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::Emptied);
    assert!(looks >= 5);

    let short = policy.deadline(Some(Duration::from_millis(50)));
    let Drained::Cut(connections) = lab.ipvs.drain(service, id(1), short).unwrap() else {
        panic!("the second one is held");
    };
    assert_eq!(connections.active, 1);
    assert!(lab.ipvs.destinations(service).unwrap().is_empty());
}

#[test]
fn a_drain_ends_when_somebody_wants_the_destination_back() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let mut held = lab.hold(1, WEB);
    let mut other = Client::in_namespace_fd(&lab.namespace).unwrap();
    let policy = DrainPolicy::new().interval(Duration::from_millis(10)).deadline(None);
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        other.set_weight(service, id(0), 1).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::Restored);
    held[0].ask().unwrap();
}

#[test]
fn a_drain_ends_when_somebody_deletes_the_whole_service() {
    let mut lab = Lab::with_servers(1);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let _held = lab.hold(1, WEB);
    let mut other = Client::in_namespace_fd(&lab.namespace).unwrap();
    let policy = DrainPolicy::new().interval(Duration::from_millis(10)).deadline(None);
    let drained = lab.ipvs.drain_with(service, id(0), policy, |_| {
        other.delete_service(service).unwrap();
        ControlFlow::Continue(())
    });
    assert_eq!(drained.unwrap(), Drained::AlreadyGone);
}

#[test]
fn a_failure_that_stops_everything_is_not_followed_by_waiting() {
    let mut lab = Lab::with_servers(3);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1), (2, 1)]));
    let _held = lab.hold(3, WEB);
    let mut other = Client::in_namespace_fd(&lab.namespace).unwrap();
    let options = gently().on_failure(OnFailure::Stop);
    let desired = table(&service, &[(2, 1)]);
    let plan = Plan::new(&lab.ipvs.snapshot().unwrap(), &desired, &options).unwrap();
    let mut looks = 0;
    let applied = lab.ipvs.apply_with(&plan, |progress| {
        if let Progress::Draining(_) = progress {
            looks += 1;
            other.set_weight(service.id, id(0), 1).unwrap();
        }
        ControlFlow::Continue(())
    });
    assert_eq!(looks, 1, "{applied:?}");
    let last: Vec<_> = applied.outcomes().skip(2).collect();
    assert!(
        matches!(last[..], [StepOutcome::Differs, StepOutcome::Skipped { because: 2, .. }]),
        "{applied:?}"
    );
    assert_eq!(lab.entry(service.id, 1).destination.weight, 0);
}

/// A client of UDP that keeps its port stays with its server, at weight 0 too, so the
/// server is deleted at once. Then it depends on a sysctl whether the client moves.
#[test]
fn what_replacing_the_servers_of_udp_costs_is_measured() {
    for expire in ["0", "1"] {
        let mut lab = Lab::with_servers(0);
        for n in 0..2 {
            super::forwarding::serve_udp(&lab.namespace, n);
        }
        let sysctl = "/proc/sys/net/ipv4/vs/expire_nodest_conn";
        lab.namespace.run(|| fs::write(sysctl, expire)).unwrap();
        let service = Service::udp(WEB).scheduler(Scheduler::ROUND_ROBIN);
        establish(&mut lab.ipvs, &table(&service, &[(0, 1)]));
        let client = lab.namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(ask(&client, WEB), "before");
        let mut ipvs = lab.ipvs;
        change(&mut ipvs, &table(&service, &[(1, 1)]), &mut Vec::new());
        let lost = (0..5).filter(|_| !ask(&client, WEB)).count();
        let what = format!("UDP server replaced, expire_nodest_conn={expire}");
        say(&format!("{what}: {lost} of 5 datagrams of an old client lost"));
        let fresh = lab.namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        fresh.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        assert!(ask(&fresh, WEB), "a new client is served");
        assert!(lost <= if expire == "1" { 1 } else { 5 }, "{what}: {lost}");
    }
}

fn ask(socket: &UdpSocket, to: SocketAddr) -> bool {
    // What IPVS drops on its way out is an error at once.
    socket.send_to(b"who is there?", to).is_ok() && socket.recv_from(&mut [0; 16]).is_ok()
}
