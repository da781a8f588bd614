use std::num::NonZeroU16;

use serde::de::MapAccess;
use serde::ser::{Serialize, Serializer};

use crate::ipvsadm::Names;
use crate::model::{Forwarding, Persistence, Scheduler};
use crate::table::document::mapping;
use crate::table::document::scalar::Weight;
use crate::table::document::written::{Written, given};

/// The settings of services and destinations that have none of their own.
#[derive(Clone, Copy, Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Defaults {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<NonZeroU16>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) scheduler: Option<Scheduler>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) persistence: Option<Persistence>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) forward: Option<Forwarding>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    pub(super) weight: Option<Weight>,
}

/// The settings that all services of a table share.
#[derive(Clone, Copy, Default)]
pub(super) struct Shared<'n> {
    pub(super) defaults: Defaults,
    /// Looks up names of hosts and ports; `None` refuses them.
    pub(super) names: Option<&'n dyn Names>,
}

impl Written for Defaults {
    const EXPECTED: &'static str = "defaults, a mapping with the keys port, scheduler, \
                                    persistence, forward and weight";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        mapping::shape(entries)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }
}
