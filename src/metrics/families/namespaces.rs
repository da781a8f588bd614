//! Families of a whole namespace.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry};
use crate::metrics::{Family, LabelValue, Sample, Source, Unit, Value};
use crate::model::Timeouts;

pub(super) static ENTRIES: &[Entry] = &[
    entry(
        Family::gauge("ipvs_scrape_success", "Whether the table was read, 1 or 0."),
        Of::Namespace(|source| source.scraped.map(|it| it.0.into())),
    ),
    entry(
        Family::gauge("ipvs_scrape_duration_seconds", "How long reading took.").unit(Unit::Seconds),
        Of::Source(duration),
    ),
    entry(
        Family::gauge(
            "ipvs_table_complete",
            "1, or 0 if objects may be missing because other programs kept writing during the reading.",
        ),
        Of::Namespace(|source| Some(source.snapshot?.is_complete().into())),
    ),
    entry(Family::gauge("ipvs_info", "The version of IPVS. The value is 1."), Of::Source(info)),
    entry(
        Family::gauge("ipvs_connection_table_size", "Buckets of the connection table."),
        Of::Namespace(|source| Some(source.info?.connection_table_size.into())),
    ),
    entry(
        Family::gauge(
            "ipvs_estimation_enabled",
            "The sysctl net.ipv4.vs.run_estimation. All counters stand still while it is 0.",
        ),
        Of::Namespace(|source| source.estimation.map(u64::from)),
    ),
    entry(
        Family::gauge("ipvs_timeout_seconds", "Timeouts of idle connections.").unit(Unit::Seconds),
        Of::Source(timeouts),
    ),
    entry(
        Family::gauge("ipvs_services", "Services in the table."),
        Of::Namespace(|source| source.service_count()),
    ),
    entry(
        Family::gauge(
            "ipvs_destinations",
            "Destinations in the table, counted for each service of theirs.",
        ),
        Of::Namespace(|source| source.destination_count()),
    ),
    entry(
        Family::counter(
            "ipvs_connections",
            "Connections that were scheduled, also those of deleted services.",
        ),
        Of::Namespace(|source| Some(source.totals?.connections)),
    ),
    entry(
        Family::counter("ipvs_incoming_packets", "Packets from clients."),
        Of::Namespace(|source| Some(source.totals?.incoming_packets)),
    ),
    entry(
        Family::counter(
            "ipvs_outgoing_packets",
            "Packets to clients. Direct routing and tunnels have none.",
        ),
        Of::Namespace(|source| Some(source.totals?.outgoing_packets)),
    ),
    entry(
        Family::counter("ipvs_incoming_bytes", "Bytes from clients.").unit(Unit::Bytes),
        Of::Namespace(|source| Some(source.totals?.incoming_bytes)),
    ),
    entry(
        Family::counter(
            "ipvs_outgoing_bytes",
            "Bytes to clients. Direct routing and tunnels have none.",
        )
        .unit(Unit::Bytes),
        Of::Namespace(|source| Some(source.totals?.outgoing_bytes)),
    ),
];

/// For a scrape with more services than its limit.
pub(super) static OMITTED_SERVICES: &[Entry] = &[entry(
    Family::gauge(
        "ipvs_omitted_services",
        "Services without samples of their own, because there are more than the limit.",
    ),
    Of::Namespace(|source| source.service_count()),
)];

/// For a scrape with more destinations than its limit.
pub(super) static OMITTED_DESTINATIONS: &[Entry] = &[entry(
    Family::gauge(
        "ipvs_omitted_destinations",
        "Destinations without samples of their own, because there are more than the limit.",
    ),
    Of::Namespace(|source| source.destination_count()),
)];

fn duration(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some((_, took)) = source.scraped else { return ControlFlow::Continue(()) };
    sink(&Sample::new(source.netns, Value::Float(took.as_secs_f64())))
}

fn info(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(info) = source.info else { return ControlFlow::Continue(()) };
    let version = info.version.to_string();
    let labels = [("version", LabelValue::Text(&version))];
    sink(&Sample::new(source.netns, Value::Integer(1)).with(&labels))
}

fn timeouts(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(Timeouts { tcp, tcp_fin, udp }) = source.timeouts else {
        return ControlFlow::Continue(());
    };
    [("tcp", tcp), ("tcpfin", tcp_fin), ("udp", udp)].into_iter().try_for_each(|(kind, timeout)| {
        let Some(timeout) = timeout else { return ControlFlow::Continue(()) };
        let labels = [("kind", LabelValue::Text(kind))];
        sink(&Sample::new(source.netns, Value::Integer(timeout.as_secs())).with(&labels))
    })
}

impl Source<'_> {
    pub(in crate::metrics) fn service_count(&self) -> Option<u64> {
        u64::try_from(self.snapshot?.len()).ok()
    }

    pub(in crate::metrics) fn destination_count(&self) -> Option<u64> {
        let lists = self.snapshot?.services().map(|service| service.destinations.len());
        u64::try_from(lists.sum::<usize>()).ok()
    }
}
