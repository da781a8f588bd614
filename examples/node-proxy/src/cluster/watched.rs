//! The library's objects as resources of `kube`.

use std::borrow::Cow;

use kube::core::{DynamicResourceScope, ObjectMeta};
use serde::de::{Deserialize, Deserializer};

use crate::kind::Kind;

/// An object with the one part of its metadata that `kube` reads: its version.
#[derive(Clone, Debug)]
pub(super) struct Watched<T> {
    pub(super) object: T,
    metadata: ObjectMeta,
}

impl<'de, T: Kind + Deserialize<'de>> Deserialize<'de> for Watched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = T::deserialize(deserializer)?;
        let version = object.metadata().resource_version.clone();
        let metadata = ObjectMeta { resource_version: Some(version), ..ObjectMeta::default() };
        Ok(Self { object, metadata })
    }
}

impl<T: Kind> kube::Resource for Watched<T> {
    type DynamicType = ();
    type Scope = DynamicResourceScope;

    fn kind((): &()) -> Cow<'_, str> {
        T::KIND.into()
    }

    fn group((): &()) -> Cow<'_, str> {
        T::API_VERSION.split_once('/').map_or("", |(group, _)| group).into()
    }

    fn version((): &()) -> Cow<'_, str> {
        T::API_VERSION.split_once('/').map_or(T::API_VERSION, |(_, version)| version).into()
    }

    fn plural((): &()) -> Cow<'_, str> {
        T::PLURAL.into()
    }

    fn meta(&self) -> &ObjectMeta {
        &self.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }
}
