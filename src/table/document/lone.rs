//! A destination outside of a table.

use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::model::{Destination, Forwarding, ServiceId, Thresholds};
use crate::table::document::address::DestinationAddress;
use crate::table::document::mapping;
use crate::table::document::scalar::Weight;
use crate::table::document::written::{Written, given, needed};

/// A destination that is no part of a service, with all that it needs.
pub(crate) struct LoneDestination(pub(crate) Destination);

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    address: DestinationAddress<false>,
    #[serde(with = "needed")]
    forward: Forwarding,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    thresholds: Option<Thresholds>,
}

impl Written for LoneDestination {
    const EXPECTED: &'static str =
        "a destination, a mapping with the keys address, forward, weight and thresholds";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        let Some(address) = shape.address.complete() else {
            return Err(A::Error::custom("a destination needs a port"));
        };
        let Thresholds { upper, lower } = shape.thresholds.unwrap_or_default();
        let destination = Destination::new(address, shape.forward)
            .weight(shape.weight.map_or(1, |Weight(weight)| weight))
            .thresholds(upper, lower);
        // The service is not known, so use one of the same family.
        destination.validate(ServiceId::tcp(address)).map_err(|invalid| {
            A::Error::custom(format_args!("destination {address}: {invalid}"))
        })?;
        Ok(Self(destination))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Destination { id, forwarding, weight, thresholds, .. } = self.0.clone();
        Shape {
            address: id.address.into(),
            forward: forwarding,
            weight: (weight != 1).then_some(Weight(weight)),
            thresholds: (thresholds != Thresholds::default()).then_some(thresholds),
        }
        .serialize(serializer)
    }
}
