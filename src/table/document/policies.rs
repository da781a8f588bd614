//! Options of planning in a file: `PlanOptions`, `DrainPolicy`, `Scope`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};

use crate::model::ServiceId;
use crate::table::document::duration;
use crate::table::{Actions, DrainPolicy, DrainUntil, Network, OnFailure, PlanOptions, Scope};

#[derive(Default, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "options, a mapping with the keys scope, \
        keep_weights, allowed, drain and on_failure"
)]
struct OptionsDocument {
    scope: Option<Scope>,
    keep_weights: bool,
    allowed: Option<Vec<Action>>,
    drain: Option<Drain>,
    on_failure: Option<OnFailure>,
}

/// From a mapping. Every key may be left out, and then has the value of [`PlanOptions::new`].
///
/// | key | meaning |
/// | --- | --- |
/// | `scope` | a [`Scope`] |
/// | `keep_weights` | `true` or `false` |
/// | `allowed` | a list of `add-service`, `update-service`, `change-scheduler`, `delete-service`, `add-destination`, `update-destination`, `delete-destination` |
/// | `drain` | a [`DrainPolicy`], or `false` to delete at once |
/// | `on_failure` | `keep-service` or `stop` |
///
/// ```
/// use ipvs_netlink::table::{OnFailure, PlanOptions};
///
/// let options: PlanOptions = serde_saphyr::from_str(
///     "scope: {networks: [192.0.2.0/24], only: true}\n\
///      drain: {until: no-connections, deadline: 5m}\n\
///      on_failure: stop\n",
/// )?;
/// assert_eq!(options.on_failure, OnFailure::Stop);
/// assert_eq!(options.drain.unwrap().deadline.unwrap().as_secs(), 300);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for PlanOptions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = OptionsDocument::deserialize(deserializer)?;
        let mut options = Self::new().keep_weights(document.keep_weights);
        if let Some(scope) = document.scope {
            options = options.scope(scope);
        }
        if let Some(allowed) = document.allowed {
            options = options.allowed(allowed.into_iter().map(|Action(action)| action).collect());
        }
        if let Some(Drain(drain)) = document.drain {
            options = options.drain(drain);
        }
        if let Some(on_failure) = document.on_failure {
            options = options.on_failure(on_failure);
        }
        Ok(options)
    }
}

/// A drain policy, or `false`.
struct Drain(Option<DrainPolicy>);

impl<'de> Deserialize<'de> for Drain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Drain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("drain, a mapping or false")
            }

            fn visit_bool<E: Error>(self, drains: bool) -> Result<Drain, E> {
                Ok(Drain(drains.then(DrainPolicy::new)))
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Drain, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                DrainPolicy::deserialize(map).map(|policy| Drain(Some(policy)))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a drain policy, a mapping with the keys \
        until, quiet, deadline and interval"
)]
struct DrainDocument {
    until: Option<DrainUntil>,
    quiet: Option<Time>,
    deadline: Option<Limit>,
    interval: Option<Time>,
}

/// From a mapping. Every key may be left out, and then has the value of [`DrainPolicy::new`].
///
/// | key | meaning |
/// | --- | --- |
/// | `until` | `no-traffic`, `no-active`, `no-connections` or `no-clients` |
/// | `quiet`, `interval` | a duration: `500ms`, `90s`, `5m`, `1h30m`, or a number of seconds |
/// | `deadline` | a duration, or `none` |
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for DrainPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = DrainDocument::deserialize(deserializer)?;
        let default = Self::new();
        Ok(Self {
            until: document.until.unwrap_or(default.until),
            quiet: document.quiet.map_or(default.quiet, |Time(time)| time),
            deadline: document.deadline.map_or(default.deadline, |Limit(limit)| limit),
            interval: document.interval.map_or(default.interval, |Time(time)| time),
        })
    }
}

#[derive(Default, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a scope, a mapping with the keys services, \
        networks, ports, marks, everything, only and except"
)]
struct ScopeDocument {
    services: Vec<ServiceId>,
    networks: Vec<Network>,
    ports: Vec<Range<u16>>,
    marks: Vec<Range<u32>>,
    everything: bool,
    only: bool,
    except: Option<Exceptions>,
}

#[derive(serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "exceptions, a mapping with the keys services, \
        networks, ports and marks"
)]
struct Exceptions {
    #[serde(default)]
    services: Vec<ServiceId>,
    #[serde(default)]
    networks: Vec<Network>,
    #[serde(default)]
    ports: Vec<Range<u16>>,
    #[serde(default)]
    marks: Vec<Range<u32>>,
}

fn rules(
    services: Vec<ServiceId>,
    networks: Vec<Network>,
    ports: Vec<Range<u16>>,
    marks: Vec<Range<u32>>,
) -> Scope {
    let scope = services.into_iter().fold(Scope::new(), Scope::service);
    let scope = networks.into_iter().fold(scope, Scope::network);
    let scope = ports.into_iter().fold(scope, |scope, Range(ports)| scope.ports(ports));
    marks.into_iter().fold(scope, |scope, Range(marks)| scope.marks(marks))
}

/// From a mapping. Every key may be left out.
///
/// | key | meaning |
/// | --- | --- |
/// | `services` | a list of ids, such as `TCP 192.0.2.10:80` |
/// | `networks` | a list of networks, such as `192.0.2.0/24` |
/// | `ports`, `marks` | a list of numbers and ranges, such as `8000-8999` |
/// | `everything` | `true` for all services |
/// | `only` | `true` for a boundary, as [`Scope::only`] |
/// | `except` | a mapping with the first four keys: the services that are not in scope |
#[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ScopeDocument { services, networks, ports, marks, everything, only, except } =
            ScopeDocument::deserialize(deserializer)?;
        let mut scope = rules(services, networks, ports, marks);
        if everything {
            scope = scope.everything();
        }
        if only {
            scope = Self::only(scope);
        }
        if let Some(Exceptions { services, networks, ports, marks }) = except {
            scope = scope.except(rules(services, networks, ports, marks));
        }
        Ok(scope)
    }
}

/// Reads a value from text or from a number.
struct Reader<T>(&'static str, fn(&str) -> Option<T>, fn(u64) -> Option<T>);

impl<T> Visitor<'_> for Reader<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.1(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        self.2(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        let value = u64::try_from(number).ok().and_then(self.2);
        value.ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }
}

/// A duration of seconds or milliseconds.
struct Time(Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a duration like 500ms, 90s or 5m, or a number of seconds";
        deserializer
            .deserialize_any(Reader(expected, duration::parse, |number| {
                Some(Duration::from_secs(number))
            }))
            .map(Self)
    }
}

/// A duration, or none.
struct Limit(Option<Duration>);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a duration like 500ms, 90s or 5m, a number of seconds, or none";
        let limit = |text: &str| match text {
            "none" => Some(None),
            text => duration::parse(text).map(Some),
        };
        deserializer
            .deserialize_any(Reader(expected, limit, |number| {
                Some(Some(Duration::from_secs(number)))
            }))
            .map(Self)
    }
}

/// A number, or the first and the last one of a range.
struct Range<T>(RangeInclusive<T>);

fn range<T: FromStr + PartialOrd + Clone>(text: &str) -> Option<RangeInclusive<T>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(first..=last)
}

impl<'de, T: FromStr + PartialOrd + Clone + TryFrom<u64>> Deserialize<'de> for Range<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let one = |number: u64| {
            let number = T::try_from(number).ok()?;
            Some(number.clone()..=number)
        };
        let expected = "a number or a range like 8000-8999";
        deserializer.deserialize_any(Reader(expected, range, one)).map(Self)
    }
}

/// The name of one action.
struct Action(Actions);

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "an action like add-service or delete-destination";
        let action = |text: &str| {
            let is_named = |name: &str| name.to_ascii_lowercase().replace('_', "-") == text;
            let mut all = Actions::all().iter_names();
            all.find(|(name, _)| is_named(name)).map(|(_, action)| action)
        };
        deserializer.deserialize_any(Reader(expected, action, |_| None)).map(Self)
    }
}

macro_rules! from_name {
    ($($type:ty, $expected:literal { $($name:literal => $value:expr,)+ })*) => {$(
        #[cfg_attr(docsrs, doc(cfg(feature = "serde")))]
        impl<'de> Deserialize<'de> for $type {
            #[doc = concat!("From text: ", $expected, ".")]
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let value = |text: &str| match text {
                    $($name => Some($value),)+
                    _ => None,
                };
                deserializer.deserialize_any(Reader($expected, value, |_| None))
            }
        }
    )*};
}

from_name! {
    DrainUntil, "no-traffic, no-active, no-connections or no-clients" {
        "no-traffic" => Self::NoTraffic,
        "no-active" => Self::NoActive,
        "no-connections" => Self::NoConnections,
        "no-clients" => Self::NoClients,
    }
    OnFailure, "keep-service or stop" {
        "keep-service" => Self::KeepService,
        "stop" => Self::Stop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Table;

    fn tcp(text: &str) -> ServiceId {
        ServiceId::tcp(text.parse().unwrap())
    }

    #[test]
    fn options_come_from_a_file() {
        let options: PlanOptions = serde_json::from_str("{}").unwrap();
        assert_eq!(format!("{options:?}"), format!("{:?}", PlanOptions::new()));
        let options: PlanOptions = serde_saphyr::from_str(
            "scope:\n  services: [TCP 192.0.2.10:80]\n  ports: [443, 8000-8999]\n  \
             marks: [7]\n  only: true\n  except: {networks: [198.51.100.0/24]}\n\
             keep_weights: true\nallowed: [add-service, change-scheduler]\n\
             drain: {until: no-active, quiet: 1, deadline: none, interval: 250ms}\n\
             on_failure: stop\n",
        )
        .unwrap();
        let none = Table::new();
        for (service, expected) in [
            (tcp("192.0.2.10:80"), true),
            (tcp("192.0.2.11:80"), false),
            (tcp("192.0.2.11:8999"), true),
            (tcp("198.51.100.1:8999"), false),
        ] {
            assert_eq!(options.scope.contains(service, &none), expected, "{service}");
        }
        let desired: Table = "-A -t 192.0.2.11:80".parse().unwrap();
        assert!(!options.scope.contains(tcp("192.0.2.11:80"), &desired), "the scope is a boundary");
        assert!(options.keep_weights);
        assert_eq!(options.allowed, Actions::ADD_SERVICE | Actions::CHANGE_SCHEDULER);
        assert_eq!(options.on_failure, OnFailure::Stop);
        let policy = DrainPolicy::new()
            .until(DrainUntil::NoActive)
            .quiet(Duration::from_secs(1))
            .deadline(None)
            .interval(Duration::from_millis(250));
        assert_eq!(options.drain, Some(policy));
        let options: PlanOptions = serde_json::from_str("{\"drain\": false}").unwrap();
        assert_eq!(options.drain, None);
    }

    #[test]
    fn odd_options_are_refused() {
        for text in [
            "{\"alowed\": []}",
            "{\"allowed\": [\"flush\"]}",
            "{\"drain\": {\"quiet\": \"5\"}}",
            "{\"drain\": {\"quiet\": -5}}",
            "{\"drain\": {\"quiet\": \"+5ms\"}}",
            "{\"drain\": {\"quiet\": \"none\"}}",
            "{\"scope\": {\"ports\": [\"9-8\"]}}",
            "{\"scope\": {\"ports\": [65536]}}",
            "{\"scope\": {\"except\": {\"except\": {}}}}",
            "{\"on_failure\": \"continue\"}",
        ] {
            assert!(serde_json::from_str::<PlanOptions>(text).is_err(), "{text}");
        }
    }
}
