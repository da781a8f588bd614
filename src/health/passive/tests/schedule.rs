use std::time::{Duration, Instant};

use crate::health::passive::ReadingSchedule;
use crate::model::{
    Connections, Destination, DestinationEntry, ServiceEntry, ServiceSnapshot, Snapshot, Stats,
};

fn table(connections: u32) -> Snapshot {
    let numbers = Connections {
        active: connections / 2,
        inactive: connections / 4,
        persistent: connections / 4,
    };
    let destinations = [2, 3].map(|octet| {
        let destination = Destination::masquerade(super::server(octet));
        DestinationEntry::new(destination, numbers, Stats::default())
    });
    let service = ServiceEntry::new(super::service("TCP 192.0.2.10:80"), Stats::default());
    Snapshot::from_iter([ServiceSnapshot::new(service, destinations.into())])
}

#[test]
fn too_many_connections_are_not_read() {
    let now = Instant::now();
    let read = |connections, most| {
        ReadingSchedule::new().most_connections(most).may_read_connections(&table(connections), now)
    };
    assert!(read(400, 800));
    assert!(!read(404, 800));
    assert!(!read(0, 0));
    assert!(!read(u32::MAX, u64::from(u32::MAX)));
}

#[test]
fn a_reading_is_due_after_the_interval() {
    let begin = Instant::now();
    let mut schedule = ReadingSchedule::new().interval(Duration::from_secs(5));
    let mut read = Vec::new();
    for second in 0..20 {
        let now = begin + Duration::from_secs(second);
        // One that is too large is not tried again before the next time.
        let connections = if second == 5 { 1 << 20 } else { 4 };
        let is_due = schedule.next().is_none_or(|next| next <= now);
        if schedule.may_read_connections(&table(connections), now) {
            read.push(second);
        } else {
            assert!(!is_due || second == 5);
        }
    }
    assert_eq!(read, [0, 10, 15]);
    let shortest = ReadingSchedule::new().interval(Duration::ZERO);
    assert_eq!(shortest, ReadingSchedule::new().interval(ReadingSchedule::SHORTEST_INTERVAL));
    // A clock cannot show the next time.
    let mut never = ReadingSchedule::new().interval(Duration::MAX);
    assert!(never.may_read_connections(&table(0), begin));
    assert_eq!(never.next(), None);
}
