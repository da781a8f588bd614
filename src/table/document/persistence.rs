use std::net::Ipv4Addr;

use serde::de::{Error as _, MapAccess};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::model::{InvalidValue, Netmask, Persistence, PersistenceEngine};
use crate::table::document::duration::Seconds;
use crate::table::document::mapping;
use crate::table::document::scalar::Prefix;
use crate::table::document::written::{Refused, Written, given, needed};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    timeout: Seconds,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    netmask: Option<Ipv4Addr>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    prefix: Option<Prefix>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    engine: Option<PersistenceEngine>,
}

impl Shape {
    fn of(persistence: &Persistence) -> Result<Self, InvalidValue> {
        let (netmask, prefix) = match persistence.netmask {
            Some(Netmask::Ipv4(mask)) => (Some(mask), None),
            Some(Netmask::Ipv6Prefix(length)) => (None, Some(Prefix(length))),
            None => (None, None),
        };
        let timeout = Seconds::whole("persistence timeout", persistence.timeout)?;
        Ok(Self { timeout, netmask, prefix, engine: persistence.engine })
    }

    fn persistence(self) -> Result<Persistence, String> {
        let netmask = match (self.netmask, self.prefix) {
            (Some(mask), None) => Some(Netmask::Ipv4(mask)),
            (None, Some(Prefix(length))) => Some(Netmask::Ipv6Prefix(length)),
            (None, None) => None,
            (Some(mask), Some(Prefix(length))) => {
                return Err(format!(
                    "persistence has netmask {mask} and prefix {length}: must have one of them"
                ));
            }
        };
        Ok(Persistence { netmask, engine: self.engine, ..of_timeout(self.timeout) })
    }
}

const fn of_timeout(timeout: Seconds) -> Persistence {
    Persistence::new(timeout.duration())
}

/// The persistence that a service asks for: `false` for none, against the defaults.
pub(super) struct Wanted(pub(super) Option<Persistence>);

impl Written for Wanted {
    const EXPECTED: &'static str = "persistence, false, a duration like \"5m\" or a mapping with \
                                    the keys timeout, netmask or prefix, and engine";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Persistence::of_text(text).map(Some).map(Self)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        Persistence::of_number(number).map(Some).map(Self)
    }

    fn of_truth(truth: bool) -> Result<Self, Refused> {
        match truth {
            true => Err(Refused::Value),
            false => Ok(Self(None)),
        }
    }

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        Persistence::of_mapping(entries).map(Some).map(Self)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(persistence) => persistence.write(serializer),
            None => serializer.serialize_bool(false),
        }
    }
}

impl Written for Persistence {
    const EXPECTED: &'static str = "persistence, a duration like \"5m\" or a mapping with the \
                                    keys timeout, netmask or prefix, and engine";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Seconds::of_text(text).map(of_timeout)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        Seconds::of_number(number).map(of_timeout)
    }

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        shape.persistence().map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shape = Shape::of(self).map_err(S::Error::custom)?;
        if self.netmask.is_none() && self.engine.is_none() {
            return shape.timeout.write(serializer);
        }
        shape.serialize(serializer)
    }
}
