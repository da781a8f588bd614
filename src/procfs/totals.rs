//! The counters of a whole network namespace.

use std::io::Read;

use crate::model::{Rates, Stats};
use crate::procfs::ProcfsError;
use crate::procfs::fields::{counter, word};
use crate::procfs::text::Text;

const NO_COUNTERS: &str = "the line does not have five hexadecimal counters";
const NO_RATES: &str = "the line does not have five hexadecimal rates";
const NO_ROW: &str = "the line is neither that of a processor nor the total";

/// The counters of each processor, and the totals of the network namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct PerProcessor {
    /// The counters of each possible processor, in the order of the file.
    pub processors: Vec<ProcessorCounters>,
    /// The totals: the values of [`Procfs::totals`](crate::procfs::Procfs::totals). They are up to
    /// two seconds older than those of the processors.
    pub totals: Stats,
}

/// The counters of a processor.
///
/// They are live, and count since the network namespace was created: zeroing the counters
/// (`ipvsadm -Z`) does not reset them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProcessorCounters {
    /// The number of the processor.
    pub processor: u32,
    /// The counters. The rates are 0, because the kernel does not have them by processor.
    pub stats: Stats,
}

/// Reads `/proc/net/ip_vs_stats`. Source: `ip_vs_ctl.c:ip_vs_stats_show`.
pub(super) fn read_totals(path: &str, source: impl Read) -> Result<Stats, ProcfsError> {
    let mut text = Text::new(path, source);
    text.heading(b"Outgoing")?;
    text.heading(b"Bytes")?;
    let stats = text.must(|line| counters(line).ok_or(NO_COUNTERS))?;
    with_rates(stats, &mut text)
}

/// Reads `/proc/net/ip_vs_stats_percpu`. Source: `ip_vs_ctl.c:ip_vs_stats_percpu_show`.
pub(super) fn read_per_processor(
    path: &str,
    source: impl Read,
) -> Result<PerProcessor, ProcfsError> {
    let mut text = Text::new(path, source);
    text.heading(b"Outgoing")?;
    text.heading(b"Bytes")?;
    let mut processors = Vec::new();
    loop {
        let (processor, stats) = text.must(|mut line| {
            let processor = match word(&mut line) {
                b"~" => None,
                number => {
                    let number = counter(number).and_then(|number| number.try_into().ok());
                    Some(number.ok_or(NO_ROW)?)
                }
            };
            Ok((processor, counters(line).ok_or(NO_COUNTERS)?))
        })?;
        match processor {
            Some(processor) => processors.push(ProcessorCounters { processor, stats }),
            None => return Ok(PerProcessor { processors, totals: with_rates(stats, &mut text)? }),
        }
    }
}

/// Reads the rates, which follow the counters.
fn with_rates<R: Read>(counters: Stats, text: &mut Text<'_, R>) -> Result<Stats, ProcfsError> {
    text.heading(b"Bytes/s")?;
    let rates = text.must(|line| five(line).ok_or(NO_RATES))?;
    let [connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes] = rates;
    let rates =
        Rates { connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes };
    Ok(Stats { rates, ..counters })
}

fn counters(line: &[u8]) -> Option<Stats> {
    let [connections, incoming_packets, outgoing_packets, incoming_bytes, outgoing_bytes] =
        five(line)?;
    Some(Stats {
        connections,
        incoming_packets,
        outgoing_packets,
        incoming_bytes,
        outgoing_bytes,
        rates: Rates::default(),
    })
}

/// Reads a line of five numbers.
fn five(mut line: &[u8]) -> Option<[u64; 5]> {
    let mut numbers = [0; 5];
    for number in &mut numbers {
        *number = counter(word(&mut line))?;
    }
    word(&mut line).is_empty().then_some(numbers)
}
