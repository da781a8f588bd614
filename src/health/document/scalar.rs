//! Durations, numbers and switches, each with the name of its field.

use std::time::Duration;

use serde::ser::{Error, Serializer};

use crate::model::InvalidValue;
use crate::table::document::duration;
use crate::table::document::plain_types::{numbers, switches};
use crate::table::document::written::{Refused, Written};

/// Defines types of durations. Reading checks the text; the settings check the range.
macro_rules! durations {
    ($($name:ident: $field:literal,)*) => {$(
        #[derive(Clone, Copy)]
        pub(super) struct $name(pub(super) Duration);

        impl Written for $name {
            const EXPECTED: &'static str = concat!(
                $field, ", a duration like \"500ms\" or \"5s\", or a whole number of seconds",
            );

            fn of_text(text: &str) -> Result<Self, Refused> {
                let rule = "must be like 500ms, 90s, 5m or 1h30m, or a whole number of seconds";
                let duration = duration::parse(text);
                Ok(Self(duration.ok_or_else(|| {
                    InvalidValue::new($field, format!("{text:?}"), rule)
                })?))
            }

            fn of_number(number: i128) -> Result<Self, Refused> {
                let seconds = number.try_into().map_err(|_| Refused::Value)?;
                Ok(Self(Duration::from_secs(seconds)))
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match duration::text(self.0) {
                    Some(text) => serializer.serialize_str(&text),
                    None => Err(S::Error::custom(InvalidValue::new(
                        $field, format!("{:?}", self.0), "must be whole milliseconds to be written",
                    ))),
                }
            }
        }
    )*};
}

durations! {
    Interval: "interval",
    Changing: "changing",
    Down: "down",
    Window: "window",
    Ramp: "time",
    Hold: "hold",
}

#[cfg(feature = "health")]
durations! {
    Timeout: "timeout",
}

numbers! {
    Rise(u32): "rise, 1 to 4294967295",
    Fall(u32): "fall, 1 to 4294967295",
    FirstRise(u32): "first_rise, 1 to 4294967295",
    Free(u16): "free, 0 to 65535",
    Most(u32): "most, 1 to 65536",
    Quorum(u32): "quorum, 1 to 4294967295",
    Hysteresis(u32): "hysteresis, 0 to 4294967295",
    Panic(u8): "panic, 0 to 100",
    Steps(u32): "steps, 2 to 100",
}

switches! {
    KeepLast: "keep_last",
}

/// Returns what is to be written: nothing for the default.
pub(in crate::health) fn unless<T: PartialEq, W>(
    default: T,
    value: T,
    write: fn(T) -> W,
) -> Option<W> {
    (value != default).then(|| write(value))
}
