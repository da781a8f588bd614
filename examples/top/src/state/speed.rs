use ipvs_netlink::growth::{Grown, Growth, PerSecond};
use ipvs_netlink::{Rates, Stats};

/// Returns how fast the traffic of an object is: what was counted between two readings, or what the
/// kernel estimates where the readings do not say. `None`: nobody knows.
#[must_use]
pub(crate) fn speed(growth: &Growth<'_>, grown: &Grown, now: &Stats) -> Option<PerSecond> {
    use ipvs_netlink::growth::Estimation;
    if growth.estimation() == Estimation::Stopped {
        return None;
    }
    let counted = growth.rates(grown).map(|bounds| bounds.mean);
    Some(counted.unwrap_or_else(|| estimated(&now.rates)))
}

/// The kernel's own estimates: averages over about eight seconds.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "a rate is no exact number")]
pub(crate) fn estimated(rates: &Rates) -> PerSecond {
    let mut speed = PerSecond::default();
    speed.connections = rates.connections as f64;
    speed.incoming_packets = rates.incoming_packets as f64;
    speed.outgoing_packets = rates.outgoing_packets as f64;
    speed.incoming_bytes = rates.incoming_bytes as f64;
    speed.outgoing_bytes = rates.outgoing_bytes as f64;
    speed
}

/// Adds up two speeds.
pub(crate) fn add(sum: &mut PerSecond, more: &PerSecond) {
    sum.connections += more.connections;
    sum.incoming_packets += more.incoming_packets;
    sum.outgoing_packets += more.outgoing_packets;
    sum.incoming_bytes += more.incoming_bytes;
    sum.outgoing_bytes += more.outgoing_bytes;
}
