use std::time::Duration;

use ipvs_netlink::growth::PerSecond;
use ipvs_netlink::procfs::PerProcessor;

use crate::state::speed::add;
use crate::state::{Count, Readings, Row};

/// Sums over services.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// The number of services.
    pub services: usize,
    /// The services that serve nobody new, because none of their destinations takes clients.
    pub down: usize,
    /// The destinations by state.
    pub count: Count,
    /// Active connections.
    pub active: u64,
    /// Inactive connections.
    pub inactive: u64,
    /// The rates, if they are known.
    pub speed: Option<PerSecond>,
    /// All connections that services have counted.
    pub connections: u64,
}

/// The traffic of a processor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Processor {
    /// Its number.
    pub number: u32,
    /// Packets from clients per second, since the reading before. `None` at the first reading.
    pub packets: Option<f64>,
    /// All packets from clients that it has counted.
    pub counted: u64,
}

#[must_use]
pub(crate) fn totals<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Totals {
    let mut totals = Totals::default();
    for row in rows {
        totals.services += 1;
        totals.down += usize::from(row.count.is_down());
        totals.count.add(&row.count);
        totals.active += row.active;
        totals.inactive += row.inactive;
        totals.connections = totals.connections.saturating_add(row.stats.connections);
        if let Some(speed) = &row.speed {
            add(totals.speed.get_or_insert_default(), speed);
        }
    }
    totals
}

/// The traffic of each processor.
#[must_use]
pub(crate) fn processors(readings: &Readings) -> Vec<Processor> {
    let Some(latest) = readings.latest() else { return Vec::new() };
    let Some(now) = &latest.processors else { return Vec::new() };
    let before = readings
        .previous()
        .and_then(|before| Some((before.processors.as_ref()?, latest.at.since(&before.at))));
    let processor = |it: &ipvs_netlink::procfs::ProcessorCounters| {
        let counted = packets(now, it.processor).unwrap_or_default();
        let rate =
            before.and_then(|(before, time)| per_second(before, it.processor, counted, time));
        Processor { number: it.processor, packets: rate, counted }
    };
    now.processors.iter().map(processor).collect()
}

fn packets(counters: &PerProcessor, number: u32) -> Option<u64> {
    let processor = counters.processors.iter().find(|it| it.processor == number)?;
    Some(processor.stats.incoming_packets)
}

#[allow(clippy::cast_precision_loss, reason = "a rate is no exact number")]
fn per_second(before: &PerProcessor, number: u32, now: u64, time: Duration) -> Option<f64> {
    let grown = now.checked_sub(packets(before, number)?)?;
    (!time.is_zero()).then(|| grown as f64 / time.as_secs_f64())
}
