//! Connections and rates in a line.

use ipvs_netlink::Stats;
use ipvs_netlink::growth::PerSecond;

use super::numbers::{count, counted, maybe_rate};
use super::parts::Part;
use crate::manners::Theme;

/// What goes on now.
pub(super) fn now(
    theme: Theme,
    (active, inactive): (u64, u64),
    speed: Option<PerSecond>,
) -> [Part; 5] {
    let rate = |of: fn(&PerSecond) -> f64| maybe_rate(speed.as_ref().map(of));
    let both = |way, bytes, packets| {
        Part::new(format!("{way} {}B/s {}p/s", rate(bytes), rate(packets)), theme.plain(), 2)
    };
    [
        Part::new(format!("{} active", count(active)), theme.plain(), 1),
        Part::new(format!("{} inactive", count(inactive)), theme.plain(), 3),
        Part::new(format!("{} conn/s", rate(|it| it.connections)), theme.title(), 0),
        both("in", |it| it.incoming_bytes, |it| it.incoming_packets),
        both("out", |it| it.outgoing_bytes, |it| it.outgoing_packets),
    ]
}

/// What was counted, with units where the numbers are not `exact`.
pub(super) fn sums(theme: Theme, stats: &Stats, exact: bool) -> [Part; 3] {
    let way = |name, packets, bytes| {
        let bytes = match exact {
            true => counted(bytes, "byte"),
            false => format!("{}B", count(bytes)),
        };
        let packets = match exact {
            true => counted(packets, "packet"),
            false => format!("{} packets", count(packets)),
        };
        Part::new(format!("{name} {packets} {bytes}"), theme.plain(), 1)
    };
    let connections = match exact {
        true => counted(stats.connections, "connection"),
        false => format!("{} connections", count(stats.connections)),
    };
    [
        Part::new(format!("counted: {connections}"), theme.plain(), 0),
        way("in", stats.incoming_packets, stats.incoming_bytes),
        way("out", stats.outgoing_packets, stats.outgoing_bytes),
    ]
}
