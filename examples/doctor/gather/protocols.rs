//! Reads how many packets nothing took.

use std::path::Path;

use super::files;
use crate::host::{Gaps, Part};

const SNMP: &str = "/proc/thread-self/net/snmp";
const SNMP6: &str = "/proc/thread-self/net/snmp6";

/// Returns how many packets had a protocol that nothing in this namespace takes.
pub(super) fn unknown_protocols(unread: &mut Gaps) -> u64 {
    let part = Part::UnknownProtocols;
    let mut sum: u64 = 0;
    if let Some(text) = files::text_or_report(part, Path::new(SNMP), unread) {
        let mut rows = text.lines().filter_map(|line| line.strip_prefix("Ip: "));
        if let (Some(names), Some(values)) = (rows.next(), rows.next()) {
            let mut both = names.split(' ').zip(values.split(' '));
            let value = both.find(|(name, _)| *name == "InUnknownProtos");
            sum += value.and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or_default();
        }
    }
    if let Some(text) = files::text_or_report(part, Path::new(SNMP6), unread) {
        let value = text.lines().find_map(|line| line.strip_prefix("Ip6InUnknownProtos"));
        sum = sum.saturating_add(value.and_then(|it| it.trim().parse().ok()).unwrap_or_default());
    }
    sum
}
