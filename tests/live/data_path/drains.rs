//! Draining, and what ends the wait.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{self, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::table::{
    DrainPolicy, DrainUntil, Drained, OnFailure, Plan, Progress, StepOutcome,
};
use ipvs_netlink::{Client, Object, Scheduler};

use super::plans::{establish, gently, table, web};
use super::traffic::say;
use super::{Lab, WEB, answered, id, server};

#[test]
fn a_drain_waits_for_the_last_connection_or_the_deadline() {
    let mut lab = Lab::with_servers(2);
    let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[4, 1]);
    let mut held = lab.hold(2, WEB);
    let policy = DrainPolicy::new()
        .until(DrainUntil::NoActive)
        .interval(Duration::from_millis(10))
        .deadline(None);

    // An observer ends one drain, and a second one continues.
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
            match looks {
                ..5 => drop(connection.ask().unwrap()),
                5 => connection.close().unwrap(),
                // The connection has ended; the kernel counts it as inactive.
                _ => {}
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
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
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
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
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
    let mut other = Client::in_namespace_fd(lab.namespace).unwrap();
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

/// Drains a destination. Returns how long it took, and the result.
fn drain(lab: &mut Lab, policy: DrainPolicy) -> (Duration, Drained) {
    let begin = Instant::now();
    let drained = lab.ipvs.drain(web(Scheduler::ROUND_ROBIN).id, id(0), policy).unwrap();
    (begin.elapsed(), drained)
}

/// The kernel keeps connections for two minutes after both sides have closed them.
#[test]
fn closed_connections_are_neither_waited_for_nor_told_to_be_cut() {
    let six = Duration::from_secs(6);
    for (until, least, most) in [
        (DrainUntil::NoActive, 0, 5),
        (DrainUntil::NoTraffic, 5, 12),
        (DrainUntil::NoConnections, 6, 30),
    ] {
        let mut lab = Lab::with_servers(1);
        let service = lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
        lab.visit(2, WEB);
        assert_eq!(lab.entry(service, 0).connections.inactive, 2);
        let deadline = (until == DrainUntil::NoConnections).then_some(six);
        // Two seconds may go by before the kernel has counted the last packet.
        let quiet = Duration::from_secs(if deadline.is_some() { 3 } else { 5 });
        let policy = DrainPolicy::new().until(until).quiet(quiet).deadline(deadline);
        let (time, drained) = drain(&mut lab, policy);
        say(&format!("{until:?}: two closed connections held it for {time:?}"));
        assert_eq!(drained, Drained::Emptied, "{until:?}");
        let bounds = Duration::from_secs(least)..Duration::from_secs(most);
        assert!(bounds.contains(&time), "{until:?}: {time:?}");
    }
}

const LINES: usize = 10;

/// Between two lines that a server sends.
const PACE: Duration = Duration::from_millis(500);

/// Longer than any window: once the kernel drops the client's acknowledgements, a server gets
/// no line of this length to the client, while some short ones still arrive.
const LONG: usize = 1 << 20;

/// A server that sends lines once the client has nothing more to say, as long as `more` allows
/// the next one, and at the end one that is [`LONG`] and "the last line".
fn serve_slowly(lab: &Lab, mut more: impl FnMut(usize) -> bool + Send + 'static) {
    let listener = lab.namespace.run(|| TcpListener::bind(server(0))).unwrap();
    thread::spawn(move || -> io::Result<()> {
        let (mut connection, _) = listener.accept()?;
        connection.read_to_end(&mut Vec::new())?;
        for sent in 0.. {
            if !more(sent) {
                break;
            }
            connection.write_all(b"line\n")?;
            thread::sleep(PACE);
        }
        connection.write_all("long".repeat(LONG / 4).as_bytes())?;
        connection.write_all(b"\nthe last line\n")
    });
}

/// A connection that the client closes on its side. It reads until nothing comes for `patience`.
fn half_closed(lab: &Lab, patience: Duration) -> thread::JoinHandle<Vec<String>> {
    let mut stream = lab.namespace.run(|| TcpStream::connect(WEB)).unwrap();
    stream.set_read_timeout(Some(patience)).unwrap();
    stream.write_all(b"the last request\n").unwrap();
    stream.shutdown(net::Shutdown::Write).unwrap();
    thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).collect())
}

#[test]
fn a_connection_that_is_half_closed_is_waited_for_while_data_comes() {
    let mut lab = Lab::with_servers(0);
    serve_slowly(&lab, |sent| sent < LINES);
    lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let reader = half_closed(&lab, Duration::from_secs(30));
    let policy = DrainPolicy::new().until(DrainUntil::NoTraffic).deadline(None);
    let (time, drained) = drain(&mut lab, policy);
    let lines = reader.join().unwrap();
    say(&format!("{} of {} lines came, {time:?}, {drained:?}", lines.len(), LINES + 2));
    assert_eq!(lines.last().map(String::as_str), Some("the last line"));
    assert_eq!(lines.len(), LINES + 2);
}

/// Shows why `NoActive` is not the default, and that the test above can fail. The server sends short lines until the drain has ended,
/// and the long one after that, so the speed of the machine does not matter.
#[test]
fn waiting_for_active_connections_alone_cuts_half_closed_ones() {
    let mut lab = Lab::with_servers(0);
    let ended = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&ended);
    serve_slowly(&lab, move |_| !seen.load(Ordering::SeqCst));
    lab.add(&web(Scheduler::ROUND_ROBIN), &[1]);
    let reader = half_closed(&lab, Duration::from_secs(4));
    let policy = DrainPolicy::new().until(DrainUntil::NoActive);
    let (time, drained) = drain(&mut lab, policy.deadline(Some(Duration::from_secs(120))));
    ended.store(true, Ordering::SeqCst);
    let lines = reader.join().unwrap();
    say(&format!("{} lines came, {time:?}, {drained:?}", lines.len()));
    assert_eq!(drained, Drained::Emptied);
    assert!(!lines.iter().any(|line| line == "the last line"));
}

#[test]
fn progress_tells_what_is_waited_for() {
    let mut lab = Lab::with_servers(2);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
    let _held = lab.hold(3, WEB);
    let policy = DrainPolicy::new().interval(Duration::from_millis(10));
    let options = gently().drain(Some(policy.deadline(Some(Duration::from_millis(300)))));
    let none = table(&service, &[]);
    let plan = Plan::new(&lab.ipvs.snapshot().unwrap(), &none, &options).unwrap();
    let mut told = 0;
    let applied = lab.ipvs.apply_with(&plan, |progress| {
        if let Progress::Draining(progress) = progress {
            told += 1;
            let [first, second] = progress.draining else { panic!("{progress:?}") };
            let objects = [0, 1].map(|n| Object::Destination(service.id, id(n)));
            assert_eq!([first.object, second.object], objects);
            let active = [first, second].map(|draining| draining.connections.active);
            assert_eq!(active.iter().sum::<u32>(), progress.connections.active);
            assert!(progress.left.unwrap() + progress.elapsed <= Duration::from_millis(301));
            let most = if active[0] >= active[1] { first } else { second };
            assert!(progress.to_string().ends_with(&format!("most has {most}")), "{progress}");
        }
        ControlFlow::Continue(())
    });
    assert!(told > 1);
    let cut: u32 = applied.cut().map(|(_, connections)| connections.active).sum();
    assert_eq!((applied.cut().count(), cut), (2, 3), "{applied:?}");
    assert!(applied.is_done() && applied.into_result().is_ok());
}

/// Deleting a destination at once breaks its connections.
#[test]
fn what_leaves_at_once_is_told_to_be_cut() {
    let mut lab = Lab::with_servers(2);
    let service = web(Scheduler::ROUND_ROBIN);
    establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
    let held = lab.hold(2, WEB);
    let options = gently().drain(None);
    let desired = table(&service, &[(0, 1)]);
    let reconciled = lab.ipvs.reconcile(&desired, &options).unwrap();
    let cut: Vec<_> = reconciled.cut().map(|(_, connections)| connections.active).collect();
    assert_eq!(cut, [1], "{reconciled}");
    assert!(reconciled.is_done());
    drop(held);
}
