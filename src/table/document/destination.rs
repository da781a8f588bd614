use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::model::{
    Destination, DestinationId, Forwarding, InvalidValue, Protocol, ServiceId, Thresholds,
};
use crate::table::TableDestination;
use crate::table::document::address::{DestinationAddress, Rest};
use crate::table::document::defaults::Shared;
use crate::table::document::list::Element;
use crate::table::document::mapping;
use crate::table::document::scalar::{Lower, Unchecked, Upper, Weight};
use crate::table::document::written::{Written, given, needed};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DestinationShape<const OPEN: bool> {
    #[serde(with = "needed")]
    address: DestinationAddress<OPEN>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    forward: Option<Forwarding>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    weight: Option<Weight>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    initial_weight: Option<Weight>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    thresholds: Option<Thresholds>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    unchecked: Option<Unchecked>,
}

impl<const OPEN: bool> DestinationShape<OPEN> {
    pub(super) fn of(
        destination: &TableDestination,
        service: ServiceId,
    ) -> Result<Self, InvalidValue> {
        let settings = destination.destination();
        settings.id.check_encodable()?;
        let thresholds = settings.thresholds;
        Ok(Self {
            address: settings.id.address.into(),
            forward: Some(settings.forwarding),
            weight: destination.weight().map(Weight),
            initial_weight: (destination.weight().is_none() && settings.weight != 1)
                .then_some(Weight(settings.weight)),
            thresholds: (thresholds != Thresholds::default()).then_some(thresholds),
            unchecked: settings.validate(service).is_err().then_some(Unchecked(true)),
        })
    }

    /// Returns the id in `service`. The default port completes no address in a service of a
    /// firewall mark; names of ports are those of TCP there.
    pub(super) fn resolve(
        &self,
        service: ServiceId,
        shared: Shared<'_>,
    ) -> Result<DestinationId, String> {
        let (port, protocol) = match service {
            ServiceId::Address { protocol, .. } => (shared.defaults.port, protocol),
            ServiceId::Fwmark { .. } => (None, Protocol::TCP),
        };
        let rest = Rest { port, names: shared.names, protocol };
        Ok(self.address.resolve(rest)?.into())
    }

    /// Returns the destination `id` of `service`. `forward` and `default_weight` hold where the
    /// destination has no setting of its own.
    pub(super) fn destination(
        &self,
        id: DestinationId,
        service: ServiceId,
        forward: Option<Forwarding>,
        default_weight: Option<u32>,
    ) -> Result<TableDestination, String> {
        let forward = self.forward.or(forward).ok_or_else(|| {
            format!("destination {id}: forward must be given, here or for the service")
        })?;
        let settings = self.checked(id, service, forward)?;
        Ok(match (&self.weight, &self.initial_weight, default_weight) {
            (Some(_), ..) => settings.into(),
            (None, None, Some(weight)) => settings.weight(weight).into(),
            (None, ..) => TableDestination::of_any_weight(settings),
        })
    }

    fn checked(
        &self,
        id: DestinationId,
        service: ServiceId,
        forward: Forwarding,
    ) -> Result<Destination, String> {
        let Thresholds { upper, lower } = self.thresholds.unwrap_or_default();
        if self.weight.is_some() && self.initial_weight.is_some() {
            return Err(format!("destination {id}: weight and initial_weight exclude each other"));
        }
        let weight = self.weight.as_ref().or(self.initial_weight.as_ref());
        let settings = Destination::new(id, forward)
            .weight(weight.map_or(1, |Weight(weight)| *weight))
            .thresholds(upper, lower);
        if !self.unchecked.as_ref().is_some_and(|unchecked| unchecked.0) {
            settings.validate(service).map_err(|invalid| format!("destination {id}: {invalid}"))?;
        }
        Ok(settings)
    }
}

impl<const OPEN: bool> Written for DestinationShape<OPEN> {
    const EXPECTED: &'static str = "a destination, a mapping with the keys address, forward, \
                                    weight, initial_weight, thresholds and unchecked";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Self = mapping::shape(entries)?;
        // Check the rules that concern the destination alone now, while the format knows the line.
        // The service is not known yet, so use a service of the same family.
        if let Some(address) = shape.address.complete() {
            let alone = ServiceId::tcp(address);
            let forward = shape.forward.unwrap_or(Forwarding::Masquerade);
            shape.checked(address.into(), alone, forward).map_err(A::Error::custom)?;
        }
        Ok(shape)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}

impl<const OPEN: bool> Element for DestinationShape<OPEN> {
    type Id = DestinationAddress<OPEN>;
    type Shared<'s> = ();
    const KIND: &'static str = "destination";
    const LIST: &'static str = "destinations, a list of mappings with the key address";

    fn id(&self) -> DestinationAddress<OPEN> {
        self.address.clone()
    }

    fn of_shared<'de, A: MapAccess<'de>>(entries: A, (): ()) -> Result<Self, A::Error> {
        Self::of_mapping(entries)
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsShape {
    #[serde(with = "needed")]
    upper: Upper,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    lower: Option<Lower>,
}

impl Written for Thresholds {
    const EXPECTED: &'static str = "thresholds, a mapping with the keys upper and lower";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: ThresholdsShape = mapping::shape(entries)?;
        Ok(Self { upper: shape.upper.0, lower: shape.lower.map_or(0, |Lower(lower)| lower) })
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let lower = Some(Lower(self.lower)).filter(|lower| lower.0 != 0);
        ThresholdsShape { upper: Upper(self.upper), lower }.serialize(serializer)
    }
}
