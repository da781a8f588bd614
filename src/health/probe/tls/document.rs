//! The keys of a check over TLS in a file.

use serde::de::{Deserialize, Deserializer, Error, MapAccess};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::health::document::documents;
use crate::health::document::probe::bytes::{Expect, Send};
use crate::health::document::probe::exchange::Bytes;
use crate::health::document::probe::scalar::texts;
use crate::health::probe::{Exchange, TlsCheck, TlsOptions};
use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::plain_types::{numbers, switches};
use crate::table::document::written::{Refused, Written, given, read};

documents! {
    TlsCheck;
    TlsOptions;
}

numbers! {
    MinimumDays(u32): "minimum_days, 0 to 4294967295",
}

switches! {
    Verify: "verify",
}

texts! {
    Authorities: "authorities, certificates in PEM", 1_048_576;
    Chain: "client_certificate, certificates in PEM", 1_048_576;
    Key: "client_key, a private key in PEM", 65_536;
    ServerName: "server_name, a name or address", 255;
}

#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    send: Option<Send>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    expect: Option<Expect>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    authorities: Option<Authorities>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    client_certificate: Option<Chain>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    client_key: Option<Key>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    server_name: Option<ServerName>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    minimum_days: Option<MinimumDays>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    verify: Option<Verify>,
}

impl Shape {
    fn of(options: &TlsOptions) -> Result<Self, &'static str> {
        let settings = options.settings();
        if settings.client.is_some() {
            return Err("a client's key stays secret and is not written");
        }
        Ok(Self {
            authorities: settings.authorities.clone().map(Authorities),
            server_name: settings.server_name.clone().map(ServerName),
            minimum_days: settings.minimum_days.map(MinimumDays),
            verify: settings.unverified.then_some(Verify(false)),
            ..Self::default()
        })
    }

    fn options(self) -> Result<TlsOptions, InvalidValue> {
        let mut options = TlsOptions::new();
        if let Some(Authorities(pem)) = self.authorities {
            options = options.authorities(pem)?;
        }
        match (self.client_certificate, self.client_key) {
            (Some(Chain(chain)), Some(Key(key))) => {
                options = options.client_certificate(chain, key)?;
            }
            (None, None) => {}
            _ => {
                let rule = "must be given with client_key, and that with this";
                return Err(InvalidValue::new("client_certificate", "alone", rule));
            }
        }
        if let Some(ServerName(name)) = self.server_name {
            options = options.server_name(name)?;
        }
        if let Some(MinimumDays(days)) = self.minimum_days {
            options = options.minimum_days(days);
        }
        let verifies = self.verify.is_none_or(|Verify(verifies)| verifies);
        Ok(if verifies { options } else { options.without_verification() })
    }
}

impl Written for TlsOptions {
    const EXPECTED: &'static str = "tls, a mapping with the keys authorities, client_certificate, \
                                    client_key, server_name, minimum_days and verify";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        if shape.send.is_some() || shape.expect.is_some() {
            return Err(A::Error::custom("send and expect: must not be given here"));
        }
        shape.options().map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::of(self).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Written for TlsCheck {
    const EXPECTED: &'static str = "tls, a mapping with the keys send, expect, authorities, \
                                    client_certificate, client_key, server_name, minimum_days and \
                                    verify";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let mut shape: Shape = mapping::shape(entries)?;
        let bytes = Bytes { send: shape.send.take(), expect: shape.expect.take() };
        let check = Self::new(shape.options().map_err(A::Error::custom)?);
        match bytes.parts() {
            (send, Some(expect)) => Ok(check.exchange(Exchange { send, expect })),
            (send, None) if send.is_empty() => Ok(check),
            (_, None) => Err(A::Error::custom(
                "tls has send and no expect: write expect: \"\" for any answer",
            )),
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = Shape::of(&self.options).map_err(S::Error::custom)?;
        if let Some(exchange) = &self.exchange {
            let bytes = Bytes::of(exchange);
            (shape.send, shape.expect) = (bytes.send, bytes.expect);
        }
        shape.serialize(serializer)
    }
}
