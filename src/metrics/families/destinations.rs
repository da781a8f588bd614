//! Families of destinations, in the groups in which they are wanted.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry};
use crate::metrics::{Family, Label, Sample, Unit};
use crate::model::{DestinationEntry, Forwarding};

pub(super) static INFO: &[Entry] = &[entry(
    Family::gauge("ipvs_destination_info", "How packets reach a destination. The value is 1."),
    Of::Destination(info),
)];

pub(super) static WEIGHT: &[Entry] = &[entry(
    Family::gauge(
        "ipvs_destination_weight",
        "The weight of a destination. At 0 it gets no new connections.",
    ),
    Of::DestinationNumber(|entry| Some(entry.destination.weight.into())),
)];

pub(super) static THRESHOLDS: &[Entry] = &[
    entry(
        Family::gauge(
            "ipvs_destination_upper_threshold",
            "Connections at which a destination gets no new ones. Absent where there is no limit.",
        ),
        Of::DestinationNumber(|entry| limit(entry.destination.thresholds.upper)),
    ),
    entry(
        Family::gauge(
            "ipvs_destination_lower_threshold",
            "Connections below which an overloaded destination gets new ones again. If absent, three quarters of the upper threshold.",
        ),
        Of::DestinationNumber(|entry| limit(entry.destination.thresholds.lower)),
    ),
];

pub(super) static CONNECTIONS: &[Entry] = &[
    entry(
        Family::gauge("ipvs_destination_active_connections", "Open connections of a destination."),
        Of::DestinationNumber(|entry| Some(entry.connections.active.into())),
    ),
    entry(
        Family::gauge(
            "ipvs_destination_inactive_connections",
            "Connections of a destination that are closing, and all of UDP.",
        ),
        Of::DestinationNumber(|entry| Some(entry.connections.inactive.into())),
    ),
    entry(
        Family::gauge(
            "ipvs_destination_persistent_connections",
            "Clients that persistence sends to a destination.",
        ),
        Of::DestinationNumber(|entry| Some(entry.connections.persistent.into())),
    ),
];

pub(super) static TRAFFIC: &[Entry] = &[
    entry(
        Family::counter("ipvs_destination_connections", "Connections that a destination got."),
        Of::DestinationNumber(|entry| Some(entry.stats.connections)),
    ),
    entry(
        Family::counter(
            "ipvs_destination_incoming_packets",
            "Packets from clients to a destination.",
        ),
        Of::DestinationNumber(|entry| Some(entry.stats.incoming_packets)),
    ),
    entry(
        Family::counter(
            "ipvs_destination_outgoing_packets",
            "Packets from a destination to clients. Direct routing and tunnels have none.",
        ),
        Of::DestinationNumber(|entry| Some(entry.stats.outgoing_packets)),
    ),
    entry(
        Family::counter("ipvs_destination_incoming_bytes", "Bytes from clients to a destination.")
            .unit(Unit::Bytes),
        Of::DestinationNumber(|entry| Some(entry.stats.incoming_bytes)),
    ),
    entry(
        Family::counter(
            "ipvs_destination_outgoing_bytes",
            "Bytes from a destination to clients. Direct routing and tunnels have none.",
        )
        .unit(Unit::Bytes),
        Of::DestinationNumber(|entry| Some(entry.stats.outgoing_bytes)),
    ),
];

/// 0 means that there is no limit.
fn limit(threshold: u32) -> Option<u64> {
    (threshold != 0).then_some(threshold.into())
}

fn info(entry: &DestinationEntry, sample: Sample<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let unknown;
    let mut tunnel = String::new();
    let forward = match entry.destination.forwarding {
        Forwarding::Masquerade => "Masq",
        Forwarding::DirectRoute => "Route",
        Forwarding::Tunnel(of_type) => {
            tunnel = of_type.to_string();
            "Tunnel"
        }
        Forwarding::LocalNode => "Local",
        Forwarding::Bypass => "Bypass",
        other @ Forwarding::Unknown(_) => {
            unknown = other.to_string();
            &unknown
        }
    };
    let labels: [Label<'_>; 2] = [Label::text("forward", forward), Label::text("tunnel", &tunnel)];
    sink(&sample.with(&labels))
}
