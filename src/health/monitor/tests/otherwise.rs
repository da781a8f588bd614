//! Destinations that are checked otherwise than the others of their service.

use proptest::prelude::*;

use super::*;
use crate::health::{Checks, TargetStatus};

fn tcp() -> Checks<&'static str> {
    Checks::new().check("tcp", Pace::new())
}

#[test]
fn a_destination_has_its_own_checks_or_none() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let either = tcp().check("http", Pace::new()).combination(Combination::Any);
    let watched = Watched::new(service(1, &[1, 2, 3]))
        .check("tcp", Pace::new())
        .check("agent", Pace::new())
        .checks_of(id(2), either)
        .checks_of(id(3), Checks::new())
        .checks_of(id(9), tcp());
    monitor.watch(watched, None, now);
    monitor.wishes(now);
    assert_eq!([1, 2, 3].map(|host| weight(&mut monitor, 1, host)), [None, None, Some(1)]);
    for _ in 0..20 {
        now += SECOND;
        while let Some(check) = monitor.due(now) {
            let outcome = match *check.check {
                "tcp" => Outcome::failed("refused"),
                _ => Outcome::passed(),
            };
            monitor.finished(&check, outcome, now);
        }
        monitor.wishes(now);
    }
    assert_eq!([1, 2, 3].map(|host| weight(&mut monitor, 1, host)), [None, Some(1), Some(1)]);
    assert_eq!([1, 2, 3, 9].map(|host| monitor.status(id(host), now).count()), [2, 2, 0, 0]);
    let events: Vec<_> = monitor.events().iter().map(|(_, event)| event.to_string()).collect();
    assert!(events.contains(&"10.0.0.1:8080 is down: refused".to_owned()), "{events:?}");
    let status = monitor.service_status(service(1, &[]).id(), now).unwrap();
    let checks = |host| status.checks(id(host)).iter().map(|(check, _)| **check);
    assert_eq!(checks(2).collect::<Vec<_>>(), ["tcp", "http"]);
    assert_eq!(checks(3).count(), 0);
}

/// What is known of a destination.
fn known(
    monitor: &Monitor<&'static str>,
    host: u8,
    now: Instant,
) -> Vec<(&'static str, TargetStatus)> {
    monitor.status(id(host), now).map(|(check, status)| (*check, status)).collect()
}

#[test]
fn other_checks_of_one_destination_disturb_nobody() {
    let mut now = Instant::now();
    let mut monitor = Monitor::new(1);
    let watched = || Watched::new(service(1, &[1, 2, 3])).check("tcp", Pace::new());
    monitor.watch(watched(), None, now);
    run(&mut monitor, &mut now, 20 * SECOND, &[2]);
    let before = [1, 2, 3].map(|host| known(&monitor, host, now));
    // The same checks, said otherwise: the two of the service, and one of it.
    monitor.watch(watched().checks_of(id(1), tcp()).checks_of(id(2), tcp()), None, now);
    assert_eq!([1, 2, 3].map(|host| known(&monitor, host, now)), before);
    monitor.watch(watched().checks_of(id(2), Checks::new().check("http", Pace::new())), None, now);
    assert_eq!(
        [1, 3].map(|host| known(&monitor, host, now)),
        [before[0].clone(), before[2].clone()]
    );
    // The dead one is dead until its other check passes.
    assert!(monitor.wishes(now).is_empty());
    assert_eq!(known(&monitor, 2, now)[0].0, "http");
    run(&mut monitor, &mut now, 20 * SECOND, &[]);
    assert_eq!(weight(&mut monitor, 1, 2), Some(1));
    // A target is shared with a service that checks all in the same way.
    monitor.watch(Watched::new(service(2, &[2])).check("http", Pace::new()), None, now);
    assert_eq!((known(&monitor, 2, now).len(), monitor.targets.len()), (1, 3));
}

#[derive(Clone, Debug)]
enum Step {
    /// Watches a service: its checks, its destinations with theirs, if they have their own.
    Watch(u16, Vec<u8>, BTreeMap<u8, Option<Vec<u8>>>),
    Forget(u16),
    Run(u64, Vec<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let checks = || prop::collection::vec(0..3_u8, 0..3);
    let own = prop::collection::btree_map(1..6_u8, prop::option::of(checks()), 0..5);
    let step = prop_oneof![
        4 => (1..4_u16, checks(), own).prop_map(|(port, all, own)| Step::Watch(port, all, own)),
        1 => (1..4_u16).prop_map(Step::Forget),
        4 => (0..30_u64, prop::collection::vec(1..6_u8, 0..3)).prop_map(|(time, dead)| Step::Run(time, dead)),
    ];
    prop::collection::vec(step, 1..20)
}

const NAMES: [&str; 3] = ["tcp", "http", "agent"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// After any watches there are exactly the targets that are asked for, each verdict is that of the
    /// destination's own checks, and nothing is left when nothing is watched.
    #[test]
    fn every_destination_has_exactly_its_checks(steps in steps(), seed in any::<u64>()) {
        let mut now = Instant::now();
        let mut monitor = Monitor::new(seed);
        let mut watched = BTreeMap::new();
        for step in steps {
            match step {
                Step::Watch(port, all, own) => {
                    let hosts: Vec<_> = own.keys().copied().collect();
                    let checks = |names: &[u8]| names.iter().fold(Checks::new(), |checks, name| {
                        checks.check(NAMES[usize::from(*name)], Pace::new())
                    });
                    let mut new = Watched::new(service(port, &hosts));
                    new.checks = checks(&all).checks;
                    for (host, own) in &own {
                        if let Some(own) = own {
                            new = new.checks_of(id(*host), checks(own));
                        }
                    }
                    monitor.watch(new.clone(), None, now);
                    watched.insert(new.id(), new);
                }
                Step::Forget(port) => {
                    let forgotten = service(port, &[]).id();
                    monitor.forget(forgotten, now);
                    watched.remove(&forgotten);
                }
                Step::Run(time, dead) => {
                    run(&mut monitor, &mut now, Duration::from_secs(time), &dead);
                }
            }
            monitor.wishes(now);
            for host in 1..6 {
                let mine = watched.values().filter(|it| it.service.destination(id(host)).is_some());
                let mut names: Vec<_> =
                    mine.flat_map(|it| it.checks_at(id(host))).map(|(name, _)| *name).collect();
                names.sort_unstable();
                names.dedup();
                let mut there: Vec<_> = monitor.status(id(host), now).map(|(name, _)| *name).collect();
                there.sort_unstable();
                prop_assert_eq!(there, names);
            }
            for (service, watched) in &watched {
                let status = monitor.service_status(*service, now).unwrap();
                for (id, member) in status.pool.members.iter().filter(|(_, it)| !it.is_former) {
                    let said = status.checks(*id);
                    prop_assert_eq!(said.len(), watched.checks_at(*id).len());
                    let verdict = Combination::All.of(said.iter().map(|(_, it)| it.verdict));
                    prop_assert!(verdict == member.verdict || verdict == Verdict::Unknown);
                }
            }
        }
        for service in watched.into_keys() {
            monitor.forget(service, now);
        }
        now += KEPT * 2;
        prop_assert!(monitor.due(now).is_none());
        prop_assert!(monitor.targets.len() == 0 && monitor.targets.has_no_checks());
    }
}
