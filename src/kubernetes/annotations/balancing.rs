//! Schedulers and their flags, one-packet scheduling, and numbers.

use crate::kubernetes::excerpt::Excerpt;
use crate::model::{InvalidValue, Scheduler, ServiceFlags};

/// Reads the kernel's name of a scheduler.
pub(super) fn scheduler(text: &str) -> Result<Scheduler, InvalidValue> {
    Scheduler::new(text).map_err(|invalid| {
        InvalidValue::new(invalid.field(), Excerpt::of(text).quoted(), invalid.rule())
    })
}

/// Reads flags of `scheduler`, by the names of `ipvsadm -b`. The empty text means no flags.
pub(super) fn flags(text: &str, scheduler: Scheduler) -> Result<ServiceFlags, InvalidValue> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| ServiceFlags::scheduler_flag(word, scheduler))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            let rule = "must be a list of flags of the scheduler, such as mh-port,mh-fallback";
            InvalidValue::new("scheduler-flags", Excerpt::of(text).quoted(), rule)
        })
}

pub(super) fn truth(text: &str) -> Result<bool, InvalidValue> {
    match text {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => {
            let value = Excerpt::of(text).quoted();
            Err(InvalidValue::new("one-packet", value, "must be true or false"))
        }
    }
}

pub(super) fn number(text: &str) -> Result<u32, InvalidValue> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().ok_or_else(|| {
        let rule = "must be a number, at most 2147483647";
        InvalidValue::new("threshold", Excerpt::of(text).quoted(), rule)
    })
}
