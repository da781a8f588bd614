//! The keys of a check by gRPC in a file.

use serde::de::{Deserialize, Deserializer, Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::documents;
use crate::health::document::probe::scalar::texts;
use crate::health::probe::GrpcCheck;
#[cfg(feature = "health-tls")]
use crate::health::probe::TlsOptions;
use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::written::{Refused, Written, given, read};

documents! {
    GrpcCheck;
}

texts! {
    Service: "service", 1024;
    Host: "host", 512;
}

#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    service: Option<Service>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    host: Option<Host>,
    #[cfg(feature = "health-tls")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tls: Option<TlsOptions>,
}

impl Shape {
    fn check(self) -> Result<GrpcCheck, InvalidValue> {
        let mut check = GrpcCheck::new();
        if let Some(Service(service)) = self.service {
            check = check.service(service)?;
        }
        if let Some(Host(host)) = self.host {
            check = check.host(host)?;
        }
        #[cfg(feature = "health-tls")]
        if let Some(options) = self.tls {
            check = check.tls(options);
        }
        Ok(check)
    }
}

impl Written for GrpcCheck {
    const EXPECTED: &'static str = "grpc, a mapping with keys such as service and host, {} for the \
                                    defaults";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        shape.check().map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape {
            service: Some(&self.service).filter(|name| !name.is_empty()).cloned().map(Service),
            host: self.host.as_ref().map(|host| Host(host.text.clone())),
            #[cfg(feature = "health-tls")]
            tls: self.tls.clone(),
        }
        .serialize(serializer)
    }
}
