//! Which keys and values an annotation may have. Anyone who may edit a service writes it, and the program that
//! reads it may do everything to the node's network.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

/// All keys that an annotation may have, wherever they are.
#[rustfmt::skip]
const ALLOWED: [&str; 50] = [
    "addresses", "agent", "body_limit", "changing", "checks", "code", "combination", "contains", "damping",
    "dns", "down", "expect", "fall", "first_rise", "free", "grpc", "headers", "hex",
    "host", "http", "icmp", "interval", "method", "minimum_days", "most", "name", "pace",
    "panic", "path", "policy", "port", "recursion", "redirects", "rise", "send", "server_name",
    "service", "slow_start", "status", "steps", "tcp", "time", "timeout", "tls", "type",
    "udp", "verify", "version", "when_dead", "window",
];

/// The longest part of an unknown key that is told, in characters.
const LONGEST_KEY: usize = 40;

/// The largest body that is searched, in bytes.
const LARGEST_BODY: u64 = 65_536;

/// The most redirects that are followed. They never lead to another server.
const MOST_REDIRECTS: u64 = 4;

/// Returns why an annotation must not have a key, if it must not.
fn refusal(key: &str) -> Option<&'static str> {
    if ALLOWED.contains(&key) {
        return None;
    }
    Some(match key {
        "command" => "an annotation runs no programs",
        "authorities" | "client_certificate" | "client_key" => {
            "an annotation has no certificates and keys"
        }
        "origin" | "source" | "interface" | "mark" | "namespace" => {
            "the node decides where checks come from"
        }
        "through" => "checks go to the endpoint itself",
        "sorry" => "only endpoints of the service serve it",
        "keep_last" | "quorum" | "hysteresis" | "hold" => {
            "endpoints come and go as Kubernetes says; if all fail, all stay"
        }
        "matches" => "an annotation has no regular expressions: write contains",
        _ => "an annotation has no such key",
    })
}

/// The first key or value of a document that is not allowed, if there is one.
pub(super) struct Forbidden(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Forbidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        ValueOf { key: "", line: 1 }.deserialize(deserializer).map(Self)
    }
}

/// Looks through the value of a key. The result is what is wrong with it.
#[derive(Clone, Copy)]
struct ValueOf<'k> {
    key: &'k str,
    line: u64,
}

impl ValueOf<'_> {
    fn number(self, number: u64) -> Option<String> {
        let most = match self.key {
            "body_limit" => LARGEST_BODY,
            "redirects" => MOST_REDIRECTS,
            _ => return None,
        };
        let Self { key, line } = self;
        (number > most).then(|| format!("line {line}: {key} {number}: must be at most {most}"))
    }
}

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueOf<'_> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping, a list, a text, a number, true or false")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut first = None;
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let (line, key) = (key.referenced.line(), key.value);
            let refused = refusal(&key).map(|why| {
                let key: String = key.chars().take(LONGEST_KEY).collect();
                format!("line {line}: {}: {why}", key.escape_debug())
            });
            let inside = map.next_value_seed(ValueOf { key: &key, line })?;
            first = first.or(refused).or(inside);
        }
        Ok(first)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut first = None;
        while let Some(inside) = list.next_element_seed(self)? {
            first = first.or(inside);
        }
        Ok(first)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let is_wrong = self.key == "method" && !matches!(text, "GET" | "HEAD");
        let line = self.line;
        Ok(is_wrong
            .then(|| format!("line {line}: method: must be GET or HEAD, which change nothing")))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(self.number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(self.number(number.try_into().unwrap_or(0)))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}
