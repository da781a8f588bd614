//! The eight families of node_exporter, by its names and labels.
//!
//! Compared with the collector `ipvs` of node_exporter 1.5.0.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry, once_each};
use crate::metrics::{Family, Label, LabelValue, Sample, Scrape, Source, Unit, Value};
use crate::model::{AddressFamily, DestinationEntry, ServiceId, ServiceSnapshot};

pub(super) static ENTRIES: &[Entry] = &[
    entry(
        Family::counter("node_ipvs_connections", "The total number of connections made."),
        Of::Namespace(|source| Some(source.totals?.connections)),
    ),
    entry(
        Family::counter("node_ipvs_incoming_packets", "The total number of incoming packets."),
        Of::Namespace(|source| Some(source.totals?.incoming_packets)),
    ),
    entry(
        Family::counter("node_ipvs_outgoing_packets", "The total number of outgoing packets."),
        Of::Namespace(|source| Some(source.totals?.outgoing_packets)),
    ),
    entry(
        Family::counter("node_ipvs_incoming_bytes", "The total amount of incoming data.")
            .unit(Unit::Bytes),
        Of::Namespace(|source| Some(source.totals?.incoming_bytes)),
    ),
    entry(
        Family::counter("node_ipvs_outgoing_bytes", "The total amount of outgoing data.")
            .unit(Unit::Bytes),
        Of::Namespace(|source| Some(source.totals?.outgoing_bytes)),
    ),
    entry(
        Family::gauge(
            "node_ipvs_backend_connections_active",
            "The current active connections by local and remote address.",
        ),
        Of::Backend(|entry| entry.connections.active),
    ),
    entry(
        Family::gauge(
            "node_ipvs_backend_connections_inactive",
            "The current inactive connections by local and remote address.",
        ),
        Of::Backend(|entry| entry.connections.inactive),
    ),
    entry(
        Family::gauge(
            "node_ipvs_backend_weight",
            "The current backend weight by local and remote address.",
        ),
        Of::Backend(|entry| entry.destination.weight),
    ),
];

/// Makes the samples of a number of each destination.
pub(super) fn samples(
    scrape: &Scrape<'_>,
    number: fn(&DestinationEntry) -> u32,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    if !scrape.destinations_fit() {
        return ControlFlow::Continue(());
    }
    for source in &scrape.sources {
        for service in source.snapshot.into_iter().flatten() {
            of_service(source, service, number, sink)?;
        }
    }
    ControlFlow::Continue(())
}

fn of_service(
    source: &Source<'_>,
    service: &ServiceSnapshot,
    number: fn(&DestinationEntry) -> u32,
    sink: &mut Sink<'_>,
) -> ControlFlow<()> {
    let twin = twin(source, service.id());
    let text;
    let [local, port, proto, mark] = match service.id() {
        ServiceId::Address { protocol, address } => [
            LabelValue::Address(address.ip()),
            LabelValue::Number(address.port().into()),
            LabelValue::Protocol(protocol),
            LabelValue::Text(""),
        ],
        ServiceId::Fwmark { mark, .. } => {
            text = format!("{mark:08X}");
            let [none, proto, mark] = ["", "FWM", &text].map(LabelValue::Text);
            [none, LabelValue::Number(0), proto, mark]
        }
    };
    for entry in once_each(service) {
        let id = entry.id();
        // The labels do not tell the family of a mark, so both services are one series.
        let value = match (service.id().family(), twin.and_then(|twin| twin.destination(id))) {
            (AddressFamily::Ipv6, Some(_)) => continue,
            (_, other) => u64::from(number(entry)) + other.map_or(0, |it| number(it).into()),
        };
        let labels = [
            Label::new("local_address", local),
            Label::new("local_port", port),
            Label::new("remote_address", LabelValue::Address(id.address.ip())),
            Label::new("remote_port", LabelValue::Number(id.address.port().into())),
            Label::new("proto", proto),
            Label::new("local_mark", mark),
        ];
        sink(&Sample::new(source.netns, Value::Integer(value)).with(&labels))?;
    }
    ControlFlow::Continue(())
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
