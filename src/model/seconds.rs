use std::time::Duration;

use crate::model::InvalidValue;
use crate::uapi::MAX_SECONDS;

/// The whole seconds of `duration`, as the kernel takes them.
///
/// A fraction is refused, not rounded; so is a value that the kernel's
/// multiplication by HZ would overflow without a word.
pub(crate) fn check(field: &'static str, duration: Duration) -> Result<(), InvalidValue> {
    if duration.subsec_nanos() != 0 {
        let value = format!("{duration:?}");
        return Err(InvalidValue::new(field, value, "must be whole seconds"));
    }
    if duration.as_secs() > MAX_SECONDS {
        let value = format!("{} s", duration.as_secs());
        return Err(InvalidValue::new(field, value, "must be at most 2147483 s"));
    }
    Ok(())
}

/// The number that goes into a message. It saturates: [`check`] comes first.
pub(crate) fn number(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs()).unwrap_or(u32::MAX)
}
