//! Reads and writes checks and policies as YAML, TOML or JSON.
//!
//! The types implement `Serialize` and `Deserialize`, for the configuration of a program. Keys may be
//! left out where the table names a default, and unknown keys are refused. Durations are a number of
//! seconds or text such as `500ms`, `90s` or `1h30m`. The rules about untrusted text are those of
//! [`table::document`](crate::table::document#untrusted-text).
//!
//! ```
//! use ipvs_netlink::health::{Combination, Pace, PoolPolicy};
//!
//! let pace: Pace = serde_saphyr::from_str("{interval: 2s, fall: 2, damping: false}")?;
//! assert_eq!(pace, Pace::new().interval(std::time::Duration::from_secs(2)).fall(2).damping(None));
//! let policy: PoolPolicy = serde_saphyr::from_str(
//!     "quorum: 2\npanic: 50\nslow_start: {time: 1m, steps: 6}\n\
//!      sorry: {address: 10.0.0.9:80, forward: masquerade}\n",
//! )?;
//! assert_eq!(policy.quorum, 2);
//! assert_eq!(serde_saphyr::from_str::<Combination>("2")?, Combination::AtLeast(2));
//! let error = serde_json::from_str::<Pace>(r#"{"interval": 0}"#).unwrap_err();
//! assert!(error.to_string().starts_with("interval 0s: must be at least 1 ms"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Pace`] is a mapping:
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `interval`, `changing`, `down` | durations, 1 ms to 365 days | `5s`, `1s`, `5s` |
//! | `rise`, `fall`, `first_rise` | numbers, 1 at least | 2, 3, 1 |
//! | `damping` | `false`, or a mapping of `window`, `free` and `most` | `{window: 10m, free: 2, most: 16}` |
//!
//! [`PoolPolicy`] is a mapping:
//!
//! | key | meaning | default |
//! | --- | --- | --- |
//! | `quorum` | a number, 1 at least | 1 |
//! | `hysteresis` | a number | 0 |
//! | `panic` | percent, 0 to 100 | 0 |
//! | `keep_last` | `true` or `false` | `true` |
//! | `sorry` | a mapping of `address`, `forward`, `weight` and `thresholds`, as in a table | none |
//! | `slow_start` | a mapping of `time` and `steps`, 2 to 100, 10 by default | none |
//! | `when_dead` | `auto`, `weight-zero` or `delete` | `auto` |
//! | `hold` | a duration, at most 365 days | `0s` |
//!
//! [`Combination`] is `all`, `any` or a number, 1 at least.
//! [`MaintenanceKind`] is `drain` or `out`. A
//! [`Maintenance`](crate::health::Maintenance) is not read: it ends at a moment of a clock that a file
//! does not know.
#![cfg_attr(feature = "health", doc = include_str!("probe/probe.md"))]

pub(in crate::health) mod names;
mod pace;
mod policy;
#[cfg(feature = "health")]
pub(in crate::health) mod probe;
pub(in crate::health) mod scalar;
#[cfg(test)]
mod tests;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::health::{Combination, Damping, MaintenanceKind, Pace, PoolPolicy, SlowStart, WhenDead};
use crate::table::document::written::{Written, read};

/// Implements the traits of serde by [`Written`].
macro_rules! documents {
    ($($(#[$feature:meta])* $type:ty;)*) => {$(
        $(#[$feature])*
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl Serialize for $type {
            /// Writes what [`document`](crate::health::document) describes, without the settings that
            /// have their default value.
            ///
            /// # Errors
            ///
            /// A duration has a fraction of a millisecond.
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.write(serializer)
            }
        }

        $(#[$feature])*
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl<'de> Deserialize<'de> for $type {
            /// Reads what [`document`](crate::health::document) describes.
            ///
            /// # Errors
            ///
            /// A key is unknown, missing or given twice; a value has the wrong type or is out of its
            /// range. The error names the field, the value and the rule.
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                read(deserializer)
            }
        }
    )*};
}

#[cfg(feature = "health")]
pub(in crate::health) use documents;

documents! {
    Pace;
    Damping;
    PoolPolicy;
    SlowStart;
    WhenDead;
    Combination;
    MaintenanceKind;
}
