//! Families of services.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry};
use crate::metrics::{Family, Label, Sample, Unit, Value};
use crate::model::{DestinationEntry, ServiceSnapshot};

pub(super) static ENTRIES: &[Entry] = &[
    entry(
        Family::gauge("ipvs_service_info", "The settings of a service. The value is 1."),
        Of::Service(info),
    ),
    entry(
        Family::gauge(
            "ipvs_service_persistence_timeout_seconds",
            "How long a persistent service remembers a client.",
        )
        .unit(Unit::Seconds),
        Of::Service(persistence),
    ),
    entry(
        Family::gauge(
            "ipvs_service_destinations",
            "Destinations of a service by state. Drained ones have weight 0, overloaded ones have reached their upper threshold.",
        ),
        Of::Service(destinations),
    ),
    entry(
        Family::counter("ipvs_service_connections", "Connections that a service has scheduled."),
        Of::ServiceCounter(|stats| stats.connections),
    ),
    entry(
        Family::counter("ipvs_service_incoming_packets", "Packets from clients of a service."),
        Of::ServiceCounter(|stats| stats.incoming_packets),
    ),
    entry(
        Family::counter(
            "ipvs_service_outgoing_packets",
            "Packets to clients of a service. Direct routing and tunnels have none.",
        ),
        Of::ServiceCounter(|stats| stats.outgoing_packets),
    ),
    entry(
        Family::counter("ipvs_service_incoming_bytes", "Bytes from clients of a service.")
            .unit(Unit::Bytes),
        Of::ServiceCounter(|stats| stats.incoming_bytes),
    ),
    entry(
        Family::counter(
            "ipvs_service_outgoing_bytes",
            "Bytes to clients of a service. Direct routing and tunnels have none.",
        )
        .unit(Unit::Bytes),
        Of::ServiceCounter(|stats| stats.outgoing_bytes),
    ),
];

fn info(service: &ServiceSnapshot, sample: Sample<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let service = &service.entry.service;
    let scheduler = service.scheduler.to_string();
    let flags = service.flags.named_for(service.scheduler);
    let engine = service.persistence.and_then(|it| it.engine);
    let engine = engine.map(|engine| engine.to_string()).unwrap_or_default();
    let labels: [Label<'_>; 3] = [
        Label::text("scheduler", &scheduler),
        Label::text("flags", &flags),
        Label::text("persistence_engine", &engine),
    ];
    sink(&sample.with(&labels))
}

fn persistence(
    service: &ServiceSnapshot,
    sample: Sample<'_>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let Some(persistence) = service.entry.service.persistence else {
        return ControlFlow::Continue(());
    };
    sink(&Sample { value: Value::Integer(persistence.timeout.as_secs()), ..sample })
}

fn destinations(
    service: &ServiceSnapshot,
    sample: Sample<'_>,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let [mut active, mut drained, mut overloaded] = [0_u64; 3];
    for entry in super::once_each(service) {
        let count = match state(entry) {
            State::Active => &mut active,
            State::Drained => &mut drained,
            State::Overloaded => &mut overloaded,
        };
        *count += 1;
    }
    let states = [("active", active), ("drained", drained), ("overloaded", overloaded)];
    states.into_iter().try_for_each(|(state, count)| {
        let labels = [Label::text("state", state)];
        sink(&Sample { value: Value::Integer(count), ..sample }.with(&labels))
    })
}

enum State {
    Active,
    Drained,
    Overloaded,
}

/// The kernel does not show whether a destination that has fallen below its upper threshold is
/// still overloaded, so it counts as active.
fn state(entry: &DestinationEntry) -> State {
    let upper = entry.destination.thresholds.upper;
    let connections = entry.connections.active.saturating_add(entry.connections.inactive);
    match entry.destination.weight {
        0 => State::Drained,
        _ if upper > 0 && connections >= upper => State::Overloaded,
        _ => State::Active,
    }
}
