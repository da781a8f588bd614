//! The keys of a check over DNS in a file.

use std::net::IpAddr;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::documents;
use crate::health::document::probe::scalar::texts;
use crate::health::document::scalar::unless;
use crate::health::probe::{DnsCheck, DnsCode, DnsType};
use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::plain_types::switches;
use crate::table::document::written::{AsWritten, Refused, Written, given, needed, read};

documents! {
    DnsCheck;
    DnsType;
    DnsCode;
}

texts! {
    Name: "name", 255;
}

switches! {
    Recursion: "recursion",
    Tcp: "tcp",
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    name: Name,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    r#type: Option<DnsType>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    code: Option<DnsCode>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    addresses: Option<Addresses>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    recursion: Option<Recursion>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tcp: Option<Tcp>,
}

impl Shape {
    fn check(self) -> Result<DnsCheck, InvalidValue> {
        let mut check = DnsCheck::new(self.name.0, self.r#type.unwrap_or(DnsType::A))?
            .code(self.code.unwrap_or_default())
            .recursion(self.recursion.is_none_or(|Recursion(desired)| desired));
        for address in self.addresses.into_iter().flat_map(|Addresses(addresses)| addresses) {
            check = check.address(address)?;
        }
        Ok(if self.tcp.is_some_and(|Tcp(tcp)| tcp) { check.tcp() } else { check })
    }
}

impl Written for DnsCheck {
    const EXPECTED: &'static str =
        "dns, a mapping with the keys name, type, code, addresses, recursion and tcp";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        shape.check().map_err(A::Error::custom)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let addresses: Vec<_> = self.addresses.iter().copied().collect();
        Shape {
            name: Name(self.name.clone()),
            r#type: unless(DnsType::A, self.kind, |kind| kind),
            code: unless(DnsCode::NO_ERROR, self.code, |code| code),
            addresses: (!addresses.is_empty()).then_some(Addresses(addresses)),
            recursion: unless(true, self.recursion, Recursion),
            tcp: unless(false, self.tcp, Tcp),
        }
        .serialize(serializer)
    }
}

impl Written for DnsType {
    const EXPECTED: &'static str = "type, a name like \"AAAA\" or a number, 0 to 65535";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let named = Self::NAMED.iter().find(|(_, name)| *name == text);
        let rule = "must be A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV or a number";
        let kind = named.map(|(kind, _)| *kind);
        Ok(kind.ok_or_else(|| InvalidValue::new("type", format!("{text:?}"), rule))?)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        number.try_into().map(Self).map_err(|_| Refused::Value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Self::NAMED.iter().find(|(kind, _)| kind == self) {
            Some((_, name)) => serializer.serialize_str(name),
            None => serializer.serialize_u16(self.0),
        }
    }
}

impl Written for DnsCode {
    const EXPECTED: &'static str = "code, a name like \"NXDOMAIN\" or a number, 0 to 15";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let named = Self::NAMED.iter().find(|(_, name)| *name == text);
        let rule = "must be NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED or a number";
        let code = named.map(|(code, _)| *code);
        Ok(code.ok_or_else(|| InvalidValue::new("code", format!("{text:?}"), rule))?)
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let number = number.try_into().map_err(|_| Refused::Value)?;
        Ok(Self::new(number)?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match Self::NAMED.iter().find(|(code, _)| code == self) {
            Some((_, name)) => serializer.serialize_str(name),
            None => serializer.serialize_u8(self.number()),
        }
    }
}

struct Addresses(Vec<IpAddr>);

impl Written for Addresses {
    const EXPECTED: &'static str = "addresses, a list of addresses";

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut addresses = Vec::new();
        while let Some(AsWritten(Address(address))) = list.next_element()? {
            if addresses.len() == 64 {
                return Err(A::Error::custom("addresses: must be at most 64"));
            }
            addresses.push(address);
        }
        Ok(Self(addresses))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.0)
    }
}

struct Address(IpAddr);

impl Written for Address {
    const EXPECTED: &'static str = "an address like \"192.0.2.1\"";

    fn of_text(text: &str) -> Result<Self, Refused> {
        let rule = "must be an address like 192.0.2.1 or 2001:db8::1";
        let address = text.parse().map(Self);
        Ok(address.map_err(|_| InvalidValue::new("address", format!("{text:?}"), rule))?)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
