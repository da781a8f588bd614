//! All families under the names of this crate, in the order in which they are visited.

use crate::metrics::{Family, Unit};
use crate::model::{DestinationEntry, Stats};

macro_rules! families {
    ($($name:ident: $kind:ident $text:literal $(($unit:ident))?, $help:literal;)*) => {
        $(pub(super) static $name: Family = Family::$kind($text, $help)$(.unit(Unit::$unit))?;)*
    };
}

families! {
    SCRAPE_SUCCESS: gauge "ipvs_scrape_success", "Whether the table was read, 1 or 0.";
    SCRAPE_DURATION: gauge "ipvs_scrape_duration_seconds" (Seconds), "How long reading took.";
    COMPLETE: gauge "ipvs_table_complete", "1, or 0 if objects may be missing because other programs kept writing while the table was read.";
    INFO: gauge "ipvs_info", "The version of IPVS. The value is 1.";
    CONNECTION_TABLE_SIZE: gauge "ipvs_connection_table_size", "Buckets of the connection table.";
    ESTIMATION: gauge "ipvs_estimation_enabled", "The sysctl net.ipv4.vs.run_estimation. All counters stand still while it is 0.";
    TIMEOUT: gauge "ipvs_timeout_seconds" (Seconds), "Timeouts of idle connections: tcp, tcpfin and udp.";
    SERVICES: gauge "ipvs_services", "Services in the table.";
    DESTINATIONS: gauge "ipvs_destinations", "Destinations in the table, counted once for each of their services.";
    OMITTED_SERVICES: gauge "ipvs_omitted_services", "Services without samples of their own, because there are more than the limit.";
    OMITTED_DESTINATIONS: gauge "ipvs_omitted_destinations", "Destinations without samples of their own, because there are more than the limit.";
    CONNECTIONS: counter "ipvs_connections", "Connections that were scheduled, of all services, also of deleted ones.";
    INCOMING_PACKETS: counter "ipvs_incoming_packets", "Packets from clients, of all services.";
    OUTGOING_PACKETS: counter "ipvs_outgoing_packets", "Packets to clients, of all services. Direct routing and tunnels have none.";
    INCOMING_BYTES: counter "ipvs_incoming_bytes" (Bytes), "Bytes from clients, of all services.";
    OUTGOING_BYTES: counter "ipvs_outgoing_bytes" (Bytes), "Bytes to clients, of all services. Direct routing and tunnels have none.";
    SERVICE_INFO: gauge "ipvs_service_info", "The settings of a service. The value is 1.";
    SERVICE_PERSISTENCE: gauge "ipvs_service_persistence_timeout_seconds" (Seconds), "How long a persistent service remembers a client.";
    SERVICE_DESTINATIONS: gauge "ipvs_service_destinations", "Destinations of a service by state: drained ones have weight 0, overloaded ones have reached their upper threshold.";
    SERVICE_CONNECTIONS: counter "ipvs_service_connections", "Connections that a service has scheduled.";
    SERVICE_INCOMING_PACKETS: counter "ipvs_service_incoming_packets", "Packets from clients of a service.";
    SERVICE_OUTGOING_PACKETS: counter "ipvs_service_outgoing_packets", "Packets to clients of a service. Direct routing and tunnels have none.";
    SERVICE_INCOMING_BYTES: counter "ipvs_service_incoming_bytes" (Bytes), "Bytes from clients of a service.";
    SERVICE_OUTGOING_BYTES: counter "ipvs_service_outgoing_bytes" (Bytes), "Bytes to clients of a service. Direct routing and tunnels have none.";
    DESTINATION_INFO: gauge "ipvs_destination_info", "How packets reach a destination. The value is 1.";
    DESTINATION_WEIGHT: gauge "ipvs_destination_weight", "The weight of a destination. At 0 it gets no new connections.";
    DESTINATION_UPPER_THRESHOLD: gauge "ipvs_destination_upper_threshold", "Connections at which a destination gets no new ones. 0 is no limit.";
    DESTINATION_LOWER_THRESHOLD: gauge "ipvs_destination_lower_threshold", "Connections below which an overloaded destination gets new ones again. 0 is three quarters of the upper threshold.";
    DESTINATION_ACTIVE: gauge "ipvs_destination_active_connections", "Open connections of a destination.";
    DESTINATION_INACTIVE: gauge "ipvs_destination_inactive_connections", "Connections of a destination that are closing, and all of UDP.";
    DESTINATION_PERSISTENT: gauge "ipvs_destination_persistent_connections", "Clients that persistence sends to a destination.";
    DESTINATION_CONNECTIONS: counter "ipvs_destination_connections", "Connections that a destination got.";
    DESTINATION_INCOMING_PACKETS: counter "ipvs_destination_incoming_packets", "Packets from clients to a destination.";
    DESTINATION_OUTGOING_PACKETS: counter "ipvs_destination_outgoing_packets", "Packets from a destination to clients. Direct routing and tunnels have none.";
    DESTINATION_INCOMING_BYTES: counter "ipvs_destination_incoming_bytes" (Bytes), "Bytes from clients to a destination.";
    DESTINATION_OUTGOING_BYTES: counter "ipvs_destination_outgoing_bytes" (Bytes), "Bytes from a destination to clients. Direct routing and tunnels have none.";
    HEALTH_UP: gauge "ipvs_health_check_up", "Whether a destination passes its checks, 1 or 0.";
    HEALTH_CHECKS: counter "ipvs_health_checks", "Checks of a destination by result.";
    HEALTH_PANIC: gauge "ipvs_health_panic", "1 if so many destinations of a service are down that all stay in rotation.";
    HEALTH_DURATION: histogram "ipvs_health_check_duration_seconds" (Seconds), "How long checks took, by kind.";
    APPLY_OPERATIONS: counter "ipvs_apply_operations", "Writes to the table by operation and result.";
    APPLY_LAST_SUCCESS: gauge "ipvs_apply_last_success_timestamp_seconds" (Seconds), "When the table was last as wished, in seconds since 1970.";
}

/// A family of counters, and the counter that it takes.
pub(super) type CounterOf = (&'static Family, fn(&Stats) -> u64);

/// Counters in the order of the families.
const FIELDS: [fn(&Stats) -> u64; 5] = [
    |stats| stats.connections,
    |stats| stats.incoming_packets,
    |stats| stats.outgoing_packets,
    |stats| stats.incoming_bytes,
    |stats| stats.outgoing_bytes,
];

const fn counters(families: [&'static Family; 5]) -> [CounterOf; 5] {
    let [a, b, c, d, e] = families;
    let [connections, packets_in, packets_out, bytes_in, bytes_out] = FIELDS;
    [(a, connections), (b, packets_in), (c, packets_out), (d, bytes_in), (e, bytes_out)]
}

pub(super) static TOTALS: [CounterOf; 5] = counters([
    &CONNECTIONS,
    &INCOMING_PACKETS,
    &OUTGOING_PACKETS,
    &INCOMING_BYTES,
    &OUTGOING_BYTES,
]);

pub(super) static OF_SERVICE: [CounterOf; 5] = counters([
    &SERVICE_CONNECTIONS,
    &SERVICE_INCOMING_PACKETS,
    &SERVICE_OUTGOING_PACKETS,
    &SERVICE_INCOMING_BYTES,
    &SERVICE_OUTGOING_BYTES,
]);

pub(super) static OF_DESTINATION: [CounterOf; 5] = counters([
    &DESTINATION_CONNECTIONS,
    &DESTINATION_INCOMING_PACKETS,
    &DESTINATION_OUTGOING_PACKETS,
    &DESTINATION_INCOMING_BYTES,
    &DESTINATION_OUTGOING_BYTES,
]);

/// A family of numbers of a destination, and the number that it takes.
pub(super) type NumberOf = (&'static Family, fn(&DestinationEntry) -> u32);

pub(super) static OPEN_CONNECTIONS: [NumberOf; 3] = [
    (&DESTINATION_ACTIVE, |entry| entry.connections.active),
    (&DESTINATION_INACTIVE, |entry| entry.connections.inactive),
    (&DESTINATION_PERSISTENT, |entry| entry.connections.persistent),
];

pub(super) static WEIGHT: [NumberOf; 1] = [(&DESTINATION_WEIGHT, |entry| entry.destination.weight)];

pub(super) static THRESHOLDS: [NumberOf; 2] = [
    (&DESTINATION_UPPER_THRESHOLD, |entry| entry.destination.thresholds.upper),
    (&DESTINATION_LOWER_THRESHOLD, |entry| entry.destination.thresholds.lower),
];
