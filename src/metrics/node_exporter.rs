//! The samples of node_exporter, by its names and labels.
//!
//! Compared with the collector `ipvs` of node_exporter 1.5.0.

use crate::metrics::families::{CounterOf, NumberOf};
use crate::metrics::visit::{Visit, Visitor};
use crate::metrics::{Family, LabelValue, Sample, Source, Unit, Value};
use crate::model::{AddressFamily, DestinationEntry, ServiceId, ServiceSnapshot};

static CONNECTIONS: Family =
    Family::counter("node_ipvs_connections", "The total number of connections made.");
static INCOMING_PACKETS: Family =
    Family::counter("node_ipvs_incoming_packets", "The total number of incoming packets.");
static OUTGOING_PACKETS: Family =
    Family::counter("node_ipvs_outgoing_packets", "The total number of outgoing packets.");
static INCOMING_BYTES: Family =
    Family::counter("node_ipvs_incoming_bytes", "The total amount of incoming data.")
        .unit(Unit::Bytes);
static OUTGOING_BYTES: Family =
    Family::counter("node_ipvs_outgoing_bytes", "The total amount of outgoing data.")
        .unit(Unit::Bytes);
static ACTIVE: Family = Family::gauge(
    "node_ipvs_backend_connections_active",
    "The current active connections by local and remote address.",
);
static INACTIVE: Family = Family::gauge(
    "node_ipvs_backend_connections_inactive",
    "The current inactive connections by local and remote address.",
);
static WEIGHT: Family = Family::gauge(
    "node_ipvs_backend_weight",
    "The current backend weight by local and remote address.",
);

static TOTALS: [CounterOf; 5] = [
    (&CONNECTIONS, |stats| stats.connections),
    (&INCOMING_PACKETS, |stats| stats.incoming_packets),
    (&OUTGOING_PACKETS, |stats| stats.outgoing_packets),
    (&INCOMING_BYTES, |stats| stats.incoming_bytes),
    (&OUTGOING_BYTES, |stats| stats.outgoing_bytes),
];

static BACKENDS: [NumberOf; 3] = [
    (&ACTIVE, |entry| entry.connections.active),
    (&INACTIVE, |entry| entry.connections.inactive),
    (&WEIGHT, |entry| entry.destination.weight),
];

pub(super) fn visit<V: Visitor>(visit: &mut Visit<'_, '_, V>) -> Result<(), V::Error> {
    for (family, counter) in &TOTALS {
        for source in &visit.scrape.sources {
            if let Some(totals) = &source.totals {
                let value = Value::Integer(counter(totals));
                visit.emit(family, &Sample::new(source.namespace, value))?;
            }
        }
    }
    if !visit.destinations_fit {
        return Ok(());
    }
    for (family, number) in &BACKENDS {
        for source in &visit.scrape.sources {
            for service in source.snapshot.into_iter().flatten() {
                backends(visit, source, service, (family, *number))?;
            }
        }
    }
    Ok(())
}

fn backends<V: Visitor>(
    visit: &mut Visit<'_, '_, V>,
    source: &Source<'_>,
    service: &ServiceSnapshot,
    (family, number): NumberOf,
) -> Result<(), V::Error> {
    let twin = twin(source, service.id());
    let mark;
    let [local, port, proto, mark] = match service.id() {
        ServiceId::Address { protocol, address } => [
            LabelValue::Address(address.ip()),
            LabelValue::Number(address.port().into()),
            LabelValue::Protocol(protocol),
            LabelValue::Text(""),
        ],
        ServiceId::Fwmark { mark: number, .. } => {
            mark = format!("{number:08X}");
            [
                LabelValue::Text(""),
                LabelValue::Number(0),
                LabelValue::Text("FWM"),
                LabelValue::Text(&mark),
            ]
        }
    };
    let mut last = None;
    for entry in &service.destinations {
        let id = entry.id();
        if last.replace(id) == Some(id) {
            continue;
        }
        // The labels do not tell the family of a mark, so both services are one series.
        let other: Option<&DestinationEntry> = twin.and_then(|twin| twin.destination(id));
        let value = match (service.id().family(), other) {
            (AddressFamily::Ipv6, Some(_)) => continue,
            (_, other) => u64::from(number(entry)) + other.map_or(0, |it| number(it).into()),
        };
        let labels = [
            ("local_address", local),
            ("local_port", port),
            ("remote_address", LabelValue::Address(id.address.ip())),
            ("remote_port", LabelValue::Number(id.address.port().into())),
            ("proto", proto),
            ("local_mark", mark),
        ];
        let sample = Sample::new(source.namespace, Value::Integer(value)).with(&labels);
        visit.emit(family, &sample)?;
    }
    Ok(())
}

/// The service of the same firewall mark in the other family.
fn twin<'a>(source: &Source<'a>, id: ServiceId) -> Option<&'a ServiceSnapshot> {
    let ServiceId::Fwmark { mark, family } = id else { return None };
    let other = match family {
        AddressFamily::Ipv4 => AddressFamily::Ipv6,
        AddressFamily::Ipv6 => AddressFamily::Ipv4,
    };
    source.snapshot?.service(ServiceId::fwmark(mark, other))
}
