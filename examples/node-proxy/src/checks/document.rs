//! Reads the annotation, within bounds.

use std::fmt;
use std::time::Duration;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Combination, Pace, PoolPolicy, Watched};
use ipvs_netlink::table::TableService;
use serde::de::value::MapAccessDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IntoDeserializer as _, MapAccess, Visitor,
};
use serde_saphyr::Spanned;

use super::keys::Forbidden;
use crate::manifests;

/// The longest annotation, in bytes.
const LONGEST: usize = 16 * 1024;

/// The most checks of one endpoint.
const MOST: usize = 8;

/// The longest timeout of a check.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The longest reason that is told, in characters.
const LONGEST_REASON: usize = 300;

/// What an annotation says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Document {
    /// The checks of each endpoint.
    pub(super) checks: Vec<(Probe, Pace)>,
    combination: Combination,
    policy: PoolPolicy,
}

impl Document {
    /// Reads an annotation: YAML, and so JSON too.
    ///
    /// # Errors
    ///
    /// It is too long; it is no YAML, or has anchors or more values than it may; a key is unknown or not
    /// allowed; a value is out of its range. The text has the line and the key.
    pub(super) fn read(text: &str, least_interval: Duration) -> Result<Self, String> {
        read(text, least_interval).map_err(|why| {
            let printable = why.chars().map(|c| if c.is_control() { ' ' } else { c });
            printable.take(LONGEST_REASON).collect()
        })
    }

    /// Returns the checks of a service. Whether the last endpoint stays is not for the pool: see
    /// [`effective`](super::effective::effective).
    pub(super) fn watched(&self, service: TableService) -> Watched<Probe> {
        let policy = self.policy.clone().keep_last(false);
        let watched = Watched::new(service).policy(policy).combination(self.combination);
        self.checks
            .iter()
            .cloned()
            .fold(watched, |watched, (probe, pace)| watched.check(probe, pace))
    }
}

fn read(text: &str, least_interval: Duration) -> Result<Document, String> {
    if text.len() > LONGEST {
        return Err(format!("of {} bytes: must be at most {LONGEST}", text.len()));
    }
    if let Forbidden(Some(why)) = parse(text)? {
        return Err(why);
    }
    let Written { checks, pace, combination, policy } = parse(text)?;
    let at = |line: u64, what: String| format!("line {line}: {what}");
    if checks.is_empty() || checks.len() > MOST {
        return Err(format!("checks: must be 1 to {MOST}, not {}", checks.len()));
    }
    let pace = match pace {
        Some(pace) => {
            let line = pace.referenced.line();
            bounded(pace.value, least_interval).map_err(|what| at(line, format!("pace: {what}")))?
        }
        None => bounded(Pace::new(), least_interval)?,
    };
    let mut read = Vec::with_capacity(checks.len());
    for (index, check) in checks.into_iter().enumerate() {
        let line = check.referenced.line();
        let CheckWritten { mut probe, pace: own } = check.value;
        if probe.timeout > LONGEST_TIMEOUT {
            let (timeout, most) = (probe.timeout, LONGEST_TIMEOUT);
            let what = format!("checks[{index}].timeout {timeout:?}: must be at most {most:?}");
            return Err(at(line, what));
        }
        let pace = match own {
            Some(own) => bounded(own, least_interval)
                .map_err(|what| at(line, format!("checks[{index}].pace: {what}")))?,
            None => pace,
        };
        if probe.timeout > pace.interval {
            if probe.timeout != Probe::tcp().timeout {
                let (timeout, interval) = (probe.timeout, pace.interval);
                let what = format!(
                    "checks[{index}].timeout {timeout:?}: must be at most the interval {interval:?}"
                );
                return Err(at(line, what));
            }
            probe.timeout = pace.interval;
        }
        read.push((probe, pace));
    }
    Ok(Document { checks: read, combination, policy })
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_aliases: 0,
            max_anchors: 0,
            max_merge_keys: 0,
            max_depth: 16,
            max_documents: 1,
            max_nodes: 2048,
            max_events: 8192,
            max_total_scalar_bytes: LONGEST,
        },
        emit_comments: false,
        with_snippet: false,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| manifests::told(&error))
}

/// Raises times that are below the bound by default. Refuses those that were asked for.
fn bounded(mut pace: Pace, least: Duration) -> Result<Pace, String> {
    let default = Pace::new();
    for (key, time, default) in [
        ("interval", &mut pace.interval, default.interval),
        ("changing", &mut pace.changing, default.changing),
        ("down", &mut pace.down, default.down),
    ] {
        if *time >= least {
            continue;
        }
        if *time != default {
            return Err(format!("{key} {time:?}: must be at least {least:?}"));
        }
        *time = least;
    }
    Ok(pace)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    checks: Vec<Spanned<CheckWritten>>,
    #[serde(default)]
    pace: Option<Spanned<Pace>>,
    #[serde(default)]
    combination: Combination,
    #[serde(default)]
    policy: PoolPolicy,
}

/// A probe, which may have a pace among its keys.
struct CheckWritten {
    probe: Probe,
    pace: Option<Pace>,
}

impl<'de> Deserialize<'de> for CheckWritten {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CheckVisitor)
    }
}

struct CheckVisitor;

impl<'de> Visitor<'de> for CheckVisitor {
    type Value = CheckWritten;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a check, tcp, icmp or a mapping such as {http: {path: /healthz}}")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<CheckWritten, E> {
        Ok(CheckWritten { probe: Probe::deserialize(text.into_deserializer())?, pace: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<CheckWritten, A::Error> {
        let mut pace = None;
        let entries = WithoutPace { entries, pace: &mut pace };
        let probe = Probe::deserialize(MapAccessDeserializer::new(entries))?;
        Ok(CheckWritten { probe, pace })
    }
}

/// Hands out all entries but the pace, which it reads.
struct WithoutPace<'p, A> {
    entries: A,
    pace: &'p mut Option<Pace>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WithoutPace<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.entries.next_key::<String>()? {
            if key != "pace" {
                return seed.deserialize(key.into_deserializer()).map(Some);
            }
            if self.pace.replace(self.entries.next_value()?).is_some() {
                return Err(A::Error::duplicate_field("pace"));
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.entries.next_value_seed(seed)
    }
}
