//! The types of the library as resources of `kube`.

use std::borrow::Cow;

use ipvs_netlink::kubernetes::{EndpointSlice, Event, Metadata, ObjectName, Service};
use kube::core::{DynamicResourceScope, ObjectMeta};
use serde::de::{Deserialize, Deserializer};

/// A kind of objects of the API.
pub(crate) trait Kind: Sized {
    const KIND: &'static str;
    const GROUP: &'static str;
    const VERSION: &'static str;
    const PLURAL: &'static str;

    fn metadata(&self) -> &Metadata;
    fn present(self) -> Event;
    fn deleted(name: ObjectName) -> Event;
}

impl Kind for Service {
    const KIND: &'static str = "Service";
    const GROUP: &'static str = "";
    const VERSION: &'static str = "v1";
    const PLURAL: &'static str = "services";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn present(self) -> Event {
        Event::Service(self)
    }

    fn deleted(name: ObjectName) -> Event {
        Event::ServiceDeleted(name)
    }
}

impl Kind for EndpointSlice {
    const KIND: &'static str = "EndpointSlice";
    const GROUP: &'static str = "discovery.k8s.io";
    const VERSION: &'static str = "v1";
    const PLURAL: &'static str = "endpointslices";

    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn present(self) -> Event {
        Event::Slice(self)
    }

    fn deleted(name: ObjectName) -> Event {
        Event::SliceDeleted(name)
    }
}

/// An object with the one part of its metadata that a watch of `kube` reads: the version at which it goes on
/// after a break.
#[derive(Clone, Debug)]
pub(crate) struct Watched<T> {
    pub(crate) object: T,
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
        T::GROUP.into()
    }

    fn version((): &()) -> Cow<'_, str> {
        T::VERSION.into()
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
