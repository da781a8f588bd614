//! Weights of endpoints.

use crate::kubernetes::annotations::balancing;
use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::rules::Member;
use crate::kubernetes::surroundings::Surroundings;
use crate::model::{InvalidValue, Network};

/// The most entries of a table of weights: every endpoint is compared with each.
const MOST_ENTRIES: usize = 64;

/// The largest weight. The kernel takes larger ones, but whoever may edit a service could have `wrr` look for a
/// destination for seconds: see [`WarningKind::WeightsFarApart`](crate::WarningKind::WeightsFarApart).
const LARGEST: u32 = 1000;

const FIELD: &str = "weights";
const RULE: &str = "must be pod, topology, topology node=8 zone=4 other=1, or entries such as \
                    10.0.0.0/24=3,node:a=2,zone:b=0,*=1";

/// Where the weights of endpoints come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Weights {
    /// All have weight 1.
    Equal,
    /// The annotation of the pod behind the endpoint.
    OfPods,
    /// By how near the endpoint is.
    Topology { node: u32, zone: u32, other: u32 },
    /// The first entry that fits.
    Table(Vec<(Key, u32)>),
}

/// The endpoints of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Network(Network),
    Node(Box<str>),
    Zone(Box<str>),
    All,
}

impl Key {
    fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            _ if text == "*" => Some(Self::All),
            Some(("node", name)) if !name.is_empty() => Some(Self::Node(name.into())),
            Some(("zone", name)) if !name.is_empty() => Some(Self::Zone(name.into())),
            _ => text.parse().ok().map(Self::Network),
        }
    }

    fn fits(&self, member: &Member<'_>) -> bool {
        let endpoint = member.endpoint;
        match self {
            Self::Network(network) => network.contains(member.address),
            Self::Node(name) => endpoint.node_name.as_deref() == Some(name),
            Self::Zone(name) => endpoint.zone.as_deref() == Some(name),
            Self::All => true,
        }
    }
}

impl Weights {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidValue> {
        if text == "pod" {
            return Ok(Self::OfPods);
        }
        if let Some(rest) = text.strip_prefix("topology") {
            return topology(text, rest);
        }
        let mut entries = Vec::new();
        for entry in text.split(',') {
            let (key, weight) = entry.split_once('=').ok_or_else(|| invalid(entry))?;
            let key = Key::parse(key.trim()).ok_or_else(|| invalid(entry))?;
            entries.push((key, parse_weight(weight.trim())?));
            if entries.len() > MOST_ENTRIES {
                return Err(InvalidValue::new(FIELD, "of more entries", "must be at most 64"));
            }
        }
        Ok(Self::Table(entries))
    }

    pub(crate) const fn are_of_pods(&self) -> bool {
        matches!(self, Self::OfPods)
    }

    /// Returns the weight of an endpoint. Endpoints of which nothing is said have weight 1.
    pub(crate) fn of(&self, member: &Member<'_>, around: &Surroundings) -> u32 {
        match self {
            Self::Equal => 1,
            Self::OfPods => {
                let weight = member.pod().and_then(|pod| around.pods.get(&pod));
                weight.copied().unwrap_or(1)
            }
            Self::Topology { node, .. } if member.local => *node,
            Self::Topology { zone, other, .. } => match &around.zone {
                Some(own) if member.endpoint.zone.as_ref() == Some(own) => *zone,
                _ => *other,
            },
            Self::Table(entries) => {
                let entry = entries.iter().find(|(key, _)| key.fits(member));
                entry.map_or(1, |(_, weight)| *weight)
            }
        }
    }
}

fn topology(text: &str, rest: &str) -> Result<Weights, InvalidValue> {
    let (mut node, mut zone, mut other) = (8, 4, 1);
    if !rest.is_empty() && !rest.starts_with(' ') {
        return Err(invalid(text));
    }
    for word in rest.split_whitespace() {
        let (name, weight) = word.split_once('=').ok_or_else(|| invalid(text))?;
        let slot = match name {
            "node" => &mut node,
            "zone" => &mut zone,
            "other" => &mut other,
            _ => return Err(invalid(text)),
        };
        *slot = parse_weight(weight)?;
    }
    Ok(Weights::Topology { node, zone, other })
}

fn invalid(text: &str) -> InvalidValue {
    InvalidValue::new(FIELD, Excerpt::of(text).quoted(), RULE)
}

/// Reads the weight of an annotation.
pub(super) fn parse_weight(text: &str) -> Result<u32, InvalidValue> {
    let number = balancing::number(text).ok().filter(|number| *number <= LARGEST);
    number.ok_or_else(|| {
        let rule = "must be a number, at most 1000";
        InvalidValue::new("weight", Excerpt::of(text).quoted(), rule)
    })
}
