use std::time::Duration;

use crate::model::InvalidValue;
use crate::uapi::{MAX_PERSISTENCE_SECONDS, MAX_TIMEOUT_SECONDS};

/// Checks a timeout of the network namespace: whole seconds, at most the limit of a kernel
/// with the slowest tick.
pub(crate) fn check_timeout(field: &'static str, timeout: Duration) -> Result<(), InvalidValue> {
    check(field, timeout, MAX_TIMEOUT_SECONDS, "must be at most 21474836 s")
}

/// Checks a persistence timeout: whole seconds that do not overflow in ticks on any kernel.
pub(crate) fn check_persistence(timeout: Duration) -> Result<(), InvalidValue> {
    check("persistence timeout", timeout, MAX_PERSISTENCE_SECONDS, "must be at most 4294967 s")
}

/// Refuses a fraction of a second instead of rounding it.
fn check(
    field: &'static str,
    timeout: Duration,
    most: u64,
    rule: &'static str,
) -> Result<(), InvalidValue> {
    if timeout.subsec_nanos() != 0 {
        return Err(InvalidValue::new(field, shown(timeout), "must be whole seconds"));
    }
    if timeout.as_secs() > most {
        return Err(InvalidValue::new(field, format!("{} s", timeout.as_secs()), rule));
    }
    Ok(())
}

/// Returns a duration for people: `1.5s`, `20ms`, and `0s`, which `Debug` prints as `0ns`.
pub(crate) fn shown(duration: Duration) -> String {
    if duration.is_zero() { "0s".to_owned() } else { format!("{duration:?}") }
}

/// Returns the seconds for a message. Saturates; the checks have refused longer durations.
pub(crate) fn number(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
