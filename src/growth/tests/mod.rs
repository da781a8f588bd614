mod history;
mod kernel;

use std::time::{Duration, Instant};

use crate::growth::{Counted, Estimation, Grown, Growth, PerSecond, Reading};
use crate::model::{
    Connections, Destination, DestinationEntry, Rates, Service, ServiceEntry, ServiceId,
    ServiceSnapshot, Snapshot, Stats,
};

fn web() -> ServiceId {
    ServiceId::tcp("192.0.2.10:80".parse().unwrap())
}

fn stats(connections: u64) -> Stats {
    let rates = Rates { connections: 77, ..Rates::default() };
    Stats { connections, incoming_bytes: 100 * connections, rates, ..Stats::default() }
}

fn counted(connections: u64) -> Counted {
    Counted { connections, incoming_bytes: 100 * connections, ..Counted::default() }
}

/// A service with destinations, each by its last octet and its counters.
fn service(connections: u64, destinations: &[(u8, u64)]) -> ServiceSnapshot {
    let destinations = destinations.iter().map(|(octet, connections)| {
        let address = ([10, 0, 0, *octet], 80).into();
        let stats = stats(*connections);
        DestinationEntry::new(Destination::masquerade(address), Connections::default(), stats)
    });
    let entry = ServiceEntry::new(Service::new(web()), stats(connections));
    ServiceSnapshot::new(entry, destinations.collect())
}

fn read(services: Vec<ServiceSnapshot>) -> Snapshot {
    Snapshot::new(services, true, None)
}

/// Compares two readings 10 s apart, and returns what became of the service and of each destination.
fn compare(before: &Snapshot, after: &Snapshot) -> (Grown, Vec<Grown>) {
    let then = Instant::now();
    let growth = Growth::between(
        Reading::at(before, then),
        Reading::at(after, then + Duration::from_secs(10)),
    );
    let service = growth.service(web()).unwrap();
    assert_eq!(growth.services().next().unwrap().grown(), service.grown());
    (service.grown(), service.destinations().map(|it| it.grown()).collect())
}

#[test]
fn each_object_is_judged_by_itself_and_by_its_service() {
    let before = read(vec![service(100, &[(1, 60), (2, 40), (4, 9)])]);
    let after = read(vec![service(130, &[(1, 70), (2, 5), (3, 1000)])]);
    let (service, destinations) = compare(&before, &after);
    assert_eq!(service, Grown::Continued { growth: counted(30) });
    let expected = [
        Grown::Continued { growth: counted(10) },
        Grown::Reset { counted: counted(5) },
        Grown::Uncertain { least: counted(0), most: counted(1000) },
        Grown::Ended,
    ];
    assert_eq!(destinations, expected);
}

#[test]
fn all_of_a_new_service_began_at_zero() {
    let (grown, destinations) = compare(&read(Vec::new()), &read(vec![service(5, &[(1, 5)])]));
    assert_eq!(grown, Grown::Started { counted: counted(5) });
    assert_eq!(destinations, [Grown::Started { counted: counted(5) }]);
    let (grown, destinations) = compare(&read(vec![service(5, &[(1, 5)])]), &read(Vec::new()));
    assert_eq!((grown, destinations), (Grown::Ended, vec![Grown::Ended]));
}

#[test]
fn an_incomplete_reading_may_have_left_out_what_looks_new() {
    let before = Snapshot::new(Vec::new(), false, None);
    let (grown, destinations) = compare(&before, &read(vec![service(5, &[(1, 5)])]));
    let uncertain = Grown::Uncertain { least: counted(0), most: counted(5) };
    assert_eq!((grown, destinations), (uncertain, vec![uncertain]));
}

#[test]
fn an_incomplete_reading_may_have_left_out_what_looks_ended() {
    let before = read(vec![service(5, &[(1, 5), (2, 5)])]);
    let nothing = Snapshot::new(Vec::new(), false, None);
    let (grown, destinations) = compare(&before, &nothing);
    assert_eq!((grown, destinations), (Grown::Unread, vec![Grown::Unread; 2]));
    let after = Snapshot::new(vec![service(9, &[(1, 9)])], false, None);
    let (grown, destinations) = compare(&before, &after);
    let continued = Grown::Continued { growth: counted(4) };
    assert_eq!((grown, destinations), (continued, vec![continued, Grown::Unread]));

    let then = Instant::now();
    let total = |after| Growth::between(Reading::at(&before, then), Reading::at(after, then));
    let services = total(&nothing).services_total();
    assert_eq!((services.known, services.ended, services.unread), (0, 0, 1));
    assert!(!services.is_exact());
    let destinations = total(&after).destinations_total();
    assert_eq!((destinations.known, destinations.ended, destinations.unread), (1, 0, 1));
    assert!(!destinations.is_exact());
}

#[test]
fn destinations_of_a_reset_service_are_not_sure_to_have_gone_on() {
    let before = read(vec![service(100, &[(1, 10)])]);
    let (grown, destinations) = compare(&before, &read(vec![service(50, &[(1, 50)])]));
    assert_eq!(grown, Grown::Reset { counted: counted(50) });
    assert_eq!(destinations, [Grown::Uncertain { least: counted(40), most: counted(50) }]);
}

#[test]
fn totals_tell_what_they_do_not_know() {
    let before = read(vec![service(100, &[(1, 60), (2, 40), (4, 9)])]);
    let after = read(vec![service(130, &[(1, 70), (2, 5), (3, 1000)])]);
    let then = Instant::now();
    let growth = Growth::between(Reading::at(&before, then), Reading::at(&after, then));
    let total = growth.destinations_total();
    assert_eq!(total.growth, counted(15));
    assert_eq!((total.known, total.reset, total.uncertain, total.ended), (1, 1, 1, 1));
    assert!(!total.is_exact());
    assert!(growth.services_total().is_exact());
    assert_eq!(growth.services().next().unwrap().destinations_total(), total);
}

#[test]
fn rates_have_the_bounds_of_a_step() {
    let (before, after) = (read(vec![service(0, &[])]), read(vec![service(120, &[])]));
    let then = Instant::now();
    let after_seconds = |seconds: f64| {
        let then = (Reading::at(&before, then), then + Duration::from_secs_f64(seconds));
        let growth = Growth::between(then.0, Reading::at(&after, then.1));
        growth.rates(&growth.service(web()).unwrap().grown())
    };
    let connections = |rate: PerSecond| rate.connections;
    for (seconds, expected) in
        [(10.0, [10.0, 12.0, 15.0]), (4.0, [20.0, 30.0, 60.0]), (2.0, [30.0, 60.0, 60.0])]
    {
        let rates = after_seconds(seconds).unwrap();
        let found = [rates.least, rates.mean, rates.most].map(connections);
        assert_eq!(found, expected, "{seconds}");
    }
    for seconds in [0.0, 0.001, 1.0, 1.999] {
        assert_eq!(after_seconds(seconds), None, "{seconds}");
    }
}

#[test]
fn what_is_not_known_has_no_rate() {
    let (before, after) = (read(vec![service(9, &[])]), read(vec![service(5, &[])]));
    let then = Instant::now();
    let later = then + Duration::from_secs(10);
    let growth = Growth::between(Reading::at(&before, then), Reading::at(&after, later));
    assert_eq!(growth.rates(&growth.service(web()).unwrap().grown()), None);
    assert!(growth.total_rates(&growth.services_total()).is_some());
    let wrong_way = Growth::between(Reading::at(&before, later), Reading::at(&after, then));
    assert_eq!(wrong_way.interval(), Duration::ZERO);
    assert_eq!(wrong_way.total_rates(&wrong_way.services_total()), None);
}

#[test]
fn stopped_estimation_is_said_and_has_no_rates() {
    let (before, after) = (read(vec![service(5, &[])]), read(vec![service(5, &[])]));
    let then = Instant::now();
    let (before, after) =
        (Reading::at(&before, then), Reading::at(&after, then + Duration::from_secs(9)));
    for (was, is, expected) in [
        (Some(true), Some(true), Estimation::Running),
        (Some(false), Some(true), Estimation::Stopped),
        (Some(true), Some(false), Estimation::Stopped),
        (None, Some(false), Estimation::Stopped),
        (None, Some(true), Estimation::Unknown),
        (None, None, Estimation::Unknown),
    ] {
        let told = |reading, it| match it {
            Some(enabled) => Reading::estimation_enabled(reading, enabled),
            None => reading,
        };
        let growth = Growth::between(told(before, was), told(after, is));
        assert_eq!(growth.estimation(), expected);
        let rates = growth.total_rates(&growth.services_total());
        assert_eq!(rates.is_none(), expected == Estimation::Stopped);
    }
}
