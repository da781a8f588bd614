//! A state for tests.

use std::time::{Duration, SystemTime};

use ipvs_netlink::health::MaintenanceKind;

use crate::status::{
    Connections, DestinationState, DestinationStatus, MaintenanceStatus, ServiceStatus, Status,
};

/// Returns a time of the 28th of November 2026, in UTC.
pub(crate) fn at(hour: u64, minute: u64, second: u64) -> SystemTime {
    let midnight = 1_795_824_000;
    SystemTime::UNIX_EPOCH + Duration::from_secs(midnight + hour * 3600 + minute * 60 + second)
}

/// Returns a live destination.
pub(crate) fn destination(id: &str) -> DestinationStatus {
    DestinationStatus {
        id: id.parse().unwrap(),
        state: DestinationState::Up,
        since: Some(at(9, 0, 0)),
        reason: String::new(),
        signs: Vec::new(),
        maintenance: None,
        weight: 1,
        is_weight_ordered: false,
        in_table: Some(1),
        connections: Some(Connections { active: 3, inactive: 4 }),
    }
}

/// Returns a service that serves.
pub(crate) fn service(id: &str, destinations: Vec<DestinationStatus>) -> ServiceStatus {
    ServiceStatus {
        id: id.parse().unwrap(),
        scheduler: "wlc".to_owned(),
        is_available: true,
        is_serving: true,
        has_sorry_server: false,
        reason: "1 of 3 live, quorum 1".to_owned(),
        announcement: String::new(),
        destinations,
    }
}

/// Returns a daemon with two services, the second of which has troubles.
pub(crate) fn status() -> Status {
    let mut drained = destination("10.0.0.2:8080");
    drained.state = DestinationState::Drained;
    drained.since = Some(at(12, 3, 4));
    let until = Some(at(14, 0, 0));
    drained.maintenance =
        Some(MaintenanceStatus { kind: MaintenanceKind::Drain, by: "alice".to_owned(), until });
    drained.weight = 10;
    drained.is_weight_ordered = true;
    drained.in_table = Some(0);
    drained.connections = Some(Connections { active: 12, inactive: 340 });
    let mut down = destination("10.0.0.3:8080");
    down.state = DestinationState::Down;
    down.since = Some(at(12, 3, 4));
    down.reason = "3 of 3 failed, connection refused".to_owned();
    down.in_table = None;
    down.connections = None;
    let first = service("TCP 192.0.2.10:80", vec![destination("10.0.0.1:8080"), drained, down]);
    let mut kept = destination("[2001:db8::1:2]:8080");
    kept.state = DestinationState::Kept;
    kept.since = Some(at(12, 3, 4) - Duration::from_secs(86_400));
    kept.reason = "3 of 3 failed, timed out after 2 s".to_owned();
    let mut second = service("FWM 5 IPv6", vec![kept]);
    second.is_available = false;
    second.reason = "0 of 1 live, quorum 1".to_owned();
    second.announcement = "withdrawn".to_owned();
    Status {
        taken: at(12, 30, 0),
        since: at(8, 0, 0),
        loaded: at(11, 0, 0),
        troubles: Vec::new(),
        is_table_read: true,
        services: vec![first, second],
    }
}
