//! Families of a whole namespace.

use std::ops::ControlFlow;

use super::{Entry, Of, Sink, entry};
use crate::metrics::{Family, Label, Sample, Source, Unit, Value};
use crate::model::Timeouts;

/// About the reading itself.
pub(super) static READING: &[Entry] = &[
    entry(
        Family::gauge("ipvs_scrape_success", "Whether the table was read, 1 or 0."),
        Of::Namespace(|source| source.scraped.map(|it| it.0.into())),
    ),
    entry(
        Family::gauge("ipvs_scrape_duration_seconds", "How long reading the table took.")
            .unit(Unit::Seconds),
        Of::Source(duration),
    ),
    entry(
        Family::gauge(
            "ipvs_table_complete",
            "1, or 0 if objects may be missing because other programs kept writing during the reading.",
        ),
        Of::Namespace(|source| Some(source.snapshot?.is_complete().into())),
    ),
];

pub(super) static ENTRIES: &[Entry] = &[
    entry(Family::gauge("ipvs_info", "The version of IPVS. The value is 1."), Of::Source(info)),
    entry(
        Family::gauge("ipvs_connection_table_size", "Buckets of the connection table."),
        Of::Namespace(|source| Some(source.info?.connection_table_size.into())),
    ),
    entry(
        Family::gauge(
            "ipvs_estimation_enabled",
            "Whether the kernel keeps its counters up to date, 1 or 0. The sysctls run_estimation and est_cpulist say so.",
        ),
        Of::Namespace(|source| source.estimation.map(u64::from)),
    ),
    entry(
        Family::gauge("ipvs_timeout_seconds", "Timeouts of idle connections.").unit(Unit::Seconds),
        Of::Source(timeouts),
    ),
    entry(
        Family::gauge("ipvs_services", "Services in the table."),
        Of::Namespace(|source| u64::try_from(source.snapshot?.len()).ok()),
    ),
    entry(
        Family::gauge(
            "ipvs_destinations",
            "Destinations in the table. One that several services have counts once for each.",
        ),
        Of::Namespace(|source| {
            let lists = source.snapshot?.services().map(|service| service.destinations.len());
            u64::try_from(lists.sum::<usize>()).ok()
        }),
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
    Of::Omitted(|source, _| source.service_rows()),
)];

/// For a scrape with more destinations than its limit.
pub(super) static OMITTED_DESTINATIONS: &[Entry] = &[entry(
    Family::gauge(
        "ipvs_omitted_destinations",
        "Destinations without samples of their own, because there are more than the limit.",
    ),
    Of::Omitted(|source, options| source.destination_rows(options)),
)];

fn duration(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some((_, took)) = source.scraped else { return ControlFlow::Continue(()) };
    sink(&Sample::new(source.netns, Value::Float(took.as_secs_f64())))
}

fn info(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(info) = source.info else { return ControlFlow::Continue(()) };
    let version = info.version.to_string();
    let labels = [Label::text("version", &version)];
    sink(&Sample::new(source.netns, Value::Integer(1)).with(&labels))
}

fn timeouts(source: &Source<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
    let Some(Timeouts { tcp, tcp_fin, udp }) = source.timeouts else {
        return ControlFlow::Continue(());
    };
    [("tcp", tcp), ("tcpfin", tcp_fin), ("udp", udp)].into_iter().try_for_each(|(kind, timeout)| {
        let Some(timeout) = timeout else { return ControlFlow::Continue(()) };
        let labels = [Label::text("kind", kind)];
        sink(&Sample::new(source.netns, Value::Integer(timeout.as_secs())).with(&labels))
    })
}
