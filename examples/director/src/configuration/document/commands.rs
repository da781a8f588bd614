//! The commands of services.

use std::time::Duration;

use serde::Deserialize;

use super::super::tree::Id;
use super::super::{Commands, SharedAddress};
use super::reading::Reading;
use super::time::Time;

/// The times that a file may give.
const TIMES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(1)..=Duration::from_secs(86_400);

/// The most arguments of a command, with its program.
const MOST: usize = 1024;

#[derive(Default, Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "commands, false or a mapping with the keys available, unavailable, timeout, retry \
                 and shared_address"
)]
struct Shape {
    available: Option<Command>,
    unavailable: Option<Command>,
    timeout: Option<Limited>,
    retry: Option<Limited>,
    shared_address: Option<Shared>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Shared {
    Any,
    All,
    Ignore,
}

struct Limited(Duration);

impl<'de> Deserialize<'de> for Limited {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Time(time) = Time::deserialize(deserializer)?;
        match TIMES.contains(&time) {
            true => Ok(Self(time)),
            false => Err(serde::de::Error::custom(format_args!(
                "found a duration of {time:?}, expected 1ms to 1d"
            ))),
        }
    }
}

/// A program and its arguments.
struct Command(Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Texts)
    }
}

struct Texts;

impl<'de> serde::de::Visitor<'de> for Texts {
    type Value = Command;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a list of a program and its arguments, like [/bin/ip, link, show]")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Command, A::Error> {
        let mut texts = Vec::new();
        while let Some(Text(text)) = list.next_element()? {
            if texts.len() == MOST {
                return Err(serde::de::Error::custom("more than 1024 arguments"));
            }
            texts.push(text);
        }
        match texts.first().is_some_and(|program| program.is_empty()) {
            true => Err(serde::de::Error::custom("found \"\", expected a program")),
            false => Ok(Command(texts)),
        }
    }
}

struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Self(String::new()))
    }
}

impl serde::de::Visitor<'_> for Text {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text; write numbers and true in quotes")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self, E> {
        const LONGEST: usize = 65_536;
        if text.len() > LONGEST {
            return Err(E::custom("a text of more than 65536 bytes"));
        }
        match text.contains('\0') {
            true => Err(E::custom("a text with a NUL")),
            false => Ok(Self(text.to_owned())),
        }
    }
}

impl Reading<'_> {
    /// Reads commands, those of the defaults first. `false` stands for none.
    pub(super) fn commands(&mut self, layers: &[Option<Id>]) -> Option<Commands> {
        // A `false` ends what outer levels say.
        let mut counts: Vec<Id> = Vec::new();
        for layer in layers.iter().flatten() {
            match self.is_false(*layer) {
                true => counts.clear(),
                false => counts.push(*layer),
            }
        }
        let merged = self.merged(&counts);
        // A layer that is no mapping cannot be merged, and reading it tells why.
        let id = merged.or(counts.last().copied())?;
        let shape: Shape = self.read(id)?;
        let command = |command: Option<Command>| command.map(|Command(texts)| texts);
        let (available, unavailable) = (command(shape.available), command(shape.unavailable));
        if available.is_none() && unavailable.is_none() {
            // The programs may be those of services.
            return None;
        }
        let limit = |time: Option<Limited>| time.map_or(Duration::from_secs(5), |time| time.0);
        Some(Commands {
            available: available.unwrap_or_default(),
            unavailable: unavailable.unwrap_or_default(),
            timeout: limit(shape.timeout),
            retry: limit(shape.retry),
            shared_address: match shape.shared_address {
                None | Some(Shared::Any) => SharedAddress::Any,
                Some(Shared::All) => SharedAddress::All,
                Some(Shared::Ignore) => SharedAddress::Ignore,
            },
        })
    }
}
