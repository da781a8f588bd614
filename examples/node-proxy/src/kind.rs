//! The kinds of objects that count.

use ipvs_netlink::kubernetes::{EndpointSlice, Metadata, Node, Pod, Service};

/// A kind of objects of the API.
pub(crate) trait Kind {
    const KIND: &'static str;
    const API_VERSION: &'static str;
    const PLURAL: &'static str;

    fn metadata(&self) -> &Metadata;
}

macro_rules! kinds {
    ($($name:ident of $version:literal, $plural:literal;)*) => {$(
        impl Kind for $name {
            const KIND: &'static str = stringify!($name);
            const API_VERSION: &'static str = $version;
            const PLURAL: &'static str = $plural;

            fn metadata(&self) -> &Metadata {
                &self.metadata
            }
        }
    )*};
}

kinds! {
    Service of "v1", "services";
    EndpointSlice of "discovery.k8s.io/v1", "endpointslices";
    Node of "v1", "nodes";
    Pod of "v1", "pods";
}
