//! Settings that are one word, or a word or a number.

use serde::ser::Serializer;

use crate::health::{Combination, MaintenanceKind, WhenDead};
use crate::model::InvalidValue;
use crate::table::document::written::{Refused, Written};

/// Reads and writes the names of an enum's variants.
macro_rules! names {
    ($($type:ty, $field:literal, $rule:literal { $($name:literal => $value:path,)+ })*) => {$(
        impl Written for $type {
            const EXPECTED: &'static str = concat!($field, ", ", $rule);

            fn of_text(text: &str) -> Result<Self, Refused> {
                match text {
                    $($name => Ok($value),)+
                    _ => {
                        let rule = concat!("must be ", $rule);
                        Err(InvalidValue::new($field, format!("{text:?}"), rule))?
                    }
                }
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(match self {
                    $($value => $name,)+
                })
            }
        }
    )*};
}
#[cfg(feature = "health")]
pub(in crate::health) use names;

names! {
    WhenDead, "when_dead", "auto, weight-zero or delete" {
        "auto" => WhenDead::Auto,
        "weight-zero" => WhenDead::WeightZero,
        "delete" => WhenDead::Delete,
    }
    MaintenanceKind, "maintenance", "drain or out" {
        "drain" => MaintenanceKind::Drain,
        "out" => MaintenanceKind::Out,
    }
}

impl Written for Combination {
    const EXPECTED: &'static str = "combination, all, any or a number of checks";

    fn of_text(text: &str) -> Result<Self, Refused> {
        match text {
            "all" => Ok(Self::All),
            "any" => Ok(Self::Any),
            _ => {
                let rule = "must be all, any or a number of checks";
                Err(InvalidValue::new("combination", format!("{text:?}"), rule))?
            }
        }
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let combination = Self::AtLeast(number.try_into().map_err(|_| Refused::Value)?);
        combination.validate()?;
        Ok(combination)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Any => serializer.serialize_str("any"),
            Self::AtLeast(number) => {
                serializer.serialize_u64(u64::try_from(*number).unwrap_or(u64::MAX))
            }
        }
    }
}
