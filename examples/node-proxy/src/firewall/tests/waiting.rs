//! When the table is written, by a clock of the test.

use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{
    Changes, Converter, Endpoint, EndpointPort, EndpointSlice, Event, Service, ServicePort,
};

use super::*;

pub(super) struct Clock {
    now: Instant,
    pub(super) schedule: Schedule,
    converter: Converter,
}

impl Clock {
    pub(super) fn with(available: bool) -> Self {
        let mut node = Options::new("a");
        node.node_addresses = vec!["192.0.2.1".parse().unwrap()];
        let now = Instant::now();
        let schedule = Schedule::new(&options(&[]), available, now);
        Self { now, schedule, converter: Converter::new(&node) }
    }

    /// A service with a node port of this number, and a cluster IP that ends with it.
    pub(super) fn put(&mut self, number: u16) -> Changes {
        let mut service = Service::new("shop", &format!("web-{number}"));
        service.spec.cluster_ip = format!("10.96.0.{number}");
        service.spec.service_type = ipvs_netlink::kubernetes::ServiceType::NodePort;
        service.spec.ports.push(ServicePort::new(80));
        service.spec.ports[0].node_port = i32::from(30000 + number);
        self.apply(Event::Service(service))
    }

    /// An endpoint of [`put`](Self::put)'s service.
    fn endpoint(&mut self, number: u16, address: &str) -> Changes {
        let name = format!("web-{number}");
        let mut slice = EndpointSlice::new("shop", &format!("{name}-1"), &name);
        slice.ports.push(EndpointPort::new(8080));
        slice.endpoints.push(Endpoint::new(address));
        self.apply(Event::Slice(slice))
    }

    fn remove(&mut self, number: u16) -> Changes {
        let name = format!("shop/web-{number}").parse().unwrap();
        self.apply(Event::ServiceDeleted(name))
    }

    pub(super) fn apply(&mut self, event: Event) -> Changes {
        let changes = self.converter.apply(event);
        self.schedule.take(&changes, &[]);
        changes
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
    }

    /// Tells that the transaction was applied, and nothing of generations.
    pub(super) fn applied(&mut self) {
        self.schedule.applied(true, None, self.now);
    }

    /// The commands that are due, one a line, or nothing.
    pub(super) fn due(&mut self) -> String {
        match self.schedule.next(self.now) {
            Some(Step::Apply(transaction)) => {
                let commands = transaction.objects.iter();
                commands.map(|it| serde_json::to_string(it).unwrap() + "\n").collect()
            }
            Some(Step::Look(seen)) => format!("look {seen:?}\n"),
            None => String::new(),
        }
    }
}

fn node_port(number: u16) -> ServiceId {
    ServiceId::tcp(([192, 0, 2, 1], 30000 + number).into())
}

pub(super) const REPLACES: &str = r#"{"delete":{"table":{"family":"inet","name":"ipvs-node"}}}"#;

#[test]
fn a_service_is_served_when_the_table_has_it() {
    let mut clock = Clock::with(true);
    clock.put(1);
    assert_eq!(clock.schedule.admission(node_port(1)), Admission::Waits);
    let first = clock.due();
    assert!(first.contains(REPLACES) && first.contains(r#"["192.0.2.1",6,30001]"#), "{first}");
    assert_eq!(clock.schedule.admission(node_port(1)), Admission::Waits);
    clock.applied();
    assert_eq!(clock.schedule.admission(node_port(1)), Admission::Served);
}

/// A cluster IP has endpoints behind it without any rule.
#[test]
fn what_needs_nothing_does_not_wait() {
    let mut clock = Clock::with(true);
    clock.put(1);
    let cluster_ip = ServiceId::tcp(([10, 96, 0, 1], 80).into());
    assert_eq!(clock.schedule.admission(cluster_ip), Admission::Served);
}

#[test]
fn the_table_is_written_at_most_once_a_second_and_then_with_all_that_changed() {
    let mut clock = Clock::with(true);
    clock.due();
    clock.applied();
    clock.put(1);
    let second = clock.now + Duration::from_secs(1);
    assert_eq!((clock.due(), clock.schedule.due()), (String::new(), Some(second)));
    clock.put(2);
    clock.pass(1);
    let due = clock.due();
    assert!(due.contains("30001") && due.contains("30002") && !due.contains(REPLACES), "{due}");
    // A change while a transaction is under way is in the next one.
    clock.put(3);
    clock.applied();
    assert_eq!(clock.schedule.admission(node_port(2)), Admission::Served);
    assert_eq!(clock.schedule.admission(node_port(3)), Admission::Waits);
    clock.pass(1);
    let due = clock.due();
    assert!(due.contains("30003") && !due.contains("30002"), "{due}");
}

#[test]
fn nothing_is_written_if_the_contents_are_the_same() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.applied();
    clock.pass(1);
    clock.schedule.take(&Changes::default(), &[]);
    assert_eq!(clock.due(), "");
}

#[test]
fn what_a_service_needs_stays_until_it_has_left() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.applied();
    clock.pass(1);
    clock.remove(1);
    let due = clock.due();
    assert!(!due.contains("30001") && due.contains("addresses-4"), "{due}");
    clock.applied();
    clock.schedule.left(node_port(1));
    clock.pass(1);
    let due = clock.due();
    assert!(due.contains("delete") && due.contains("30001"), "{due}");
    // One that comes back before it has left stays.
    clock.applied();
    clock.put(2);
    clock.pass(1);
    clock.due();
    clock.applied();
    clock.remove(2);
    clock.put(2);
    clock.schedule.left(node_port(2));
    clock.pass(1);
    assert_eq!(clock.due(), "");
}

/// Nobody tells that it has left, because it never came.
#[test]
fn a_service_that_goes_while_it_waits_leaves_nothing() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.remove(1);
    assert!(!clock.due().contains("30001"));
}

/// It was written, and the cluster removed it before it was wished.
#[test]
fn a_service_that_never_came_leaves_nothing() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.applied();
    clock.remove(1);
    clock.schedule.left(node_port(1));
    clock.pass(1);
    let due = clock.due();
    assert!(due.contains("delete") && due.contains("30001"), "{due}");
}

#[test]
fn after_a_failure_the_whole_table_is_written_after_longer_and_longer_pauses() {
    let mut clock = Clock::with(true);
    clock.due();
    clock.applied();
    clock.put(1);
    clock.pass(1);
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        let due = clock.due();
        assert!(due.contains("30001"), "{due}");
        clock.schedule.applied(false, None, clock.now);
        let until = clock.now + Duration::from_secs(pause);
        assert_eq!((clock.due(), clock.schedule.due()), (String::new(), Some(until)));
        assert_eq!(clock.schedule.admission(node_port(1)), Admission::Waits);
        clock.pass(pause);
    }
    assert!(clock.due().contains(REPLACES));
    clock.applied();
    assert_eq!(clock.schedule.admission(node_port(1)), Admission::Served);
}

#[test]
fn a_table_that_someone_removed_is_written_again() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.applied();
    clock.pass(59);
    assert_eq!(clock.due(), "");
    clock.pass(1);
    assert_eq!(clock.due(), "look None\n");
    clock.schedule.looked(Sight::Intact(None), clock.now);
    assert_eq!(clock.due(), "");
    clock.pass(60);
    assert_eq!(clock.due(), "look None\n");
    clock.schedule.looked(Sight::Lost, clock.now);
    let due = clock.due();
    assert!(due.contains(REPLACES) && due.contains("30001"), "{due}");
}

/// Elements and rules that somebody adds or removes do not show in another way.
#[test]
fn any_change_by_others_has_the_whole_table_written_within_a_minute() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.schedule.applied(true, Some((7, 8)), clock.now);
    clock.pass(5);
    assert_eq!(clock.due(), "look Some(8)\n");
    assert_eq!(clock.schedule.due(), None, "one step at a time");
    clock.schedule.looked(Sight::Same, clock.now);
    clock.pass(5);
    assert_eq!(clock.due(), "look Some(8)\n");
    clock.schedule.looked(Sight::Intact(Some(9)), clock.now);
    // It is not done more than once a minute, for the change may be one of another table.
    for _ in 0..9 {
        clock.pass(5);
        assert_eq!(clock.due(), "look Some(9)\n");
        clock.schedule.looked(Sight::Same, clock.now);
    }
    clock.pass(5);
    let due = clock.due();
    assert!(due.contains(REPLACES) && due.contains("30001"), "{due}");
    clock.schedule.applied(true, Some((9, 10)), clock.now);
    clock.pass(60);
    assert_eq!(clock.due(), "look Some(10)\n");
    clock.schedule.looked(Sight::Same, clock.now);
    assert_eq!(clock.schedule.due(), Some(clock.now + Duration::from_secs(5)));
    // After that it is done at once.
    clock.pass(5);
    clock.due();
    clock.schedule.looked(Sight::Intact(Some(11)), clock.now);
    assert!(clock.due().contains(REPLACES));
}

/// Others may change the table while this program does.
#[test]
fn what_others_do_beside_a_writing_shows_by_the_generation() {
    for (whole, change, is_doubtful) in [
        ((7, 8), (8, 9), false),
        ((7, 9), (9, 10), true),
        ((7, 8), (9, 10), true),
        ((7, 8), (8, 10), true),
        ((u32::MAX, 1), (1, 2), false),
    ] {
        let mut clock = Clock::with(true);
        clock.due();
        clock.schedule.applied(true, Some(whole), clock.now);
        clock.put(1);
        clock.pass(1);
        let due = clock.due();
        assert!(due.contains("30001") && !due.contains(REPLACES), "{due}");
        clock.schedule.applied(true, Some(change), clock.now);
        clock.pass(59);
        assert_eq!(clock.due().contains(REPLACES), is_doubtful, "{whole:?} {change:?}");
    }
}

/// It is served already, and would keep endpoints that are gone.
#[test]
fn endpoints_do_not_wait_for_a_table_that_was_lost() {
    let mut clock = Clock::with(true);
    clock.put(1);
    clock.due();
    clock.applied();
    clock.pass(60);
    assert_eq!(clock.due(), "look None\n");
    clock.schedule.looked(Sight::Lost, clock.now);
    clock.due();
    clock.schedule.applied(false, None, clock.now);
    assert!(!clock.endpoint(1, "10.244.1.2").set.is_empty());
    clock.put(2);
    let admissions = [1, 2].map(|number| clock.schedule.admission(node_port(number)));
    assert_eq!(admissions, [Admission::Served, Admission::Waits]);
}

#[test]
fn without_nft_nothing_is_written_and_what_needs_it_is_refused() {
    let mut clock = Clock::with(false);
    clock.put(1);
    assert_eq!(clock.schedule.admission(node_port(1)), Admission::Refused(Need::Masquerade));
    let cluster_ip = ServiceId::tcp(([10, 96, 0, 1], 80).into());
    assert_eq!(clock.schedule.admission(cluster_ip), Admission::Served);
    assert_eq!(clock.due(), "");
}
