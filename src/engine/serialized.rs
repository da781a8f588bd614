//! Outcomes and reports for status pages and logs.

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use crate::engine::{Failed, Outcome, Report};

/// Serializes as a mapping with the keys `outcome` (`done`, `refused`, `unknown` or `not-sent`) and
/// `error`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut mapping = serializer.serialize_struct("Outcome", 2)?;
        outcome_fields::<S>(self, &mut mapping)?;
        mapping.end()
    }
}

/// Serializes as a mapping with the keys `index`, `outcome` and `error`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Failed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut mapping = serializer.serialize_struct("Failed", 3)?;
        mapping.serialize_field("index", &self.index)?;
        outcome_fields::<S>(self.outcome, &mut mapping)?;
        mapping.end()
    }
}

/// Serializes as a mapping with the keys `count`, the number of changes, and `failures`, the list
/// of the changes that are not done, each with its `index`.
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let failures: Vec<Failed<'_>> = self.failures().collect();
        let mut mapping = serializer.serialize_struct("Report", 2)?;
        mapping.serialize_field("count", &self.len())?;
        mapping.serialize_field("failures", &failures)?;
        mapping.end()
    }
}

fn outcome_fields<S: Serializer>(
    outcome: &Outcome,
    mapping: &mut S::SerializeStruct,
) -> Result<(), S::Error> {
    let name = match outcome {
        Outcome::Done => "done",
        Outcome::Refused(_) => "refused",
        Outcome::Unknown(_) => "unknown",
        Outcome::NotSent(_) => "not-sent",
    };
    mapping.serialize_field("outcome", name)?;
    mapping.serialize_field("error", &outcome.error())
}
