//! Values of options.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use ipvs_netlink::table::{Actions, DrainUntil};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Yaml,
    Toml,
    Json,
    Ipvsadm,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Ipvsadm => "ipvsadm",
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Until {
    /// Connections that carry data: established ones, and others while packets come
    Traffic,
    /// Only established connections
    Active,
    /// All connections, also those that are being opened or closed
    Connections,
    /// All connections, and clients that are bound by persistence
    Clients,
}

impl From<Until> for DrainUntil {
    fn from(until: Until) -> Self {
        match until {
            Until::Traffic => Self::NoTraffic,
            Until::Active => Self::NoActive,
            Until::Connections => Self::NoConnections,
            Until::Clients => Self::NoClients,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Action {
    AddService,
    UpdateService,
    ChangeScheduler,
    DeleteService,
    AddDestination,
    UpdateDestination,
    DeleteDestination,
}

impl From<Action> for Actions {
    fn from(action: Action) -> Self {
        match action {
            Action::AddService => Self::ADD_SERVICE,
            Action::UpdateService => Self::UPDATE_SERVICE,
            Action::ChangeScheduler => Self::CHANGE_SCHEDULER,
            Action::DeleteService => Self::DELETE_SERVICE,
            Action::AddDestination => Self::ADD_DESTINATION,
            Action::UpdateDestination => Self::UPDATE_DESTINATION,
            Action::DeleteDestination => Self::DELETE_DESTINATION,
        }
    }
}

/// A range of numbers: `80` or `8000-8999`.
#[derive(Clone, Debug)]
pub(crate) struct Range<N>(pub(crate) RangeInclusive<N>);

impl<N: FromStr + Copy + PartialOrd> FromStr for Range<N> {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = |text: &str| text.parse::<N>().map_err(|_| "must be like 80 or 8000-8999");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let range = number(first)?..=number(last)?;
        if range.start() > range.end() {
            return Err("the first number must not be above the last");
        }
        Ok(Self(range))
    }
}

/// The file of a network namespace. A text with a slash is a path; any other text is a name of
/// `ip netns`.
#[derive(Clone, Debug)]
pub(crate) struct Namespace(pub(crate) PathBuf);

impl FromStr for Namespace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "" | "." | ".." => Err("must be the name of a network namespace, or a path"),
            text if text.contains('/') => Ok(Self(text.into())),
            name => Ok(Self(Path::new("/run/netns").join(name))),
        }
    }
}

/// A time to wait. `None` waits for ever.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(pub(crate) Option<Duration>);

impl fmt::Display for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(time) => write!(f, "{} s", time.as_secs_f64()),
            None => f.write_str("as long as needed"),
        }
    }
}

impl FromStr for Deadline {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "forever" {
            return Ok(Self(None));
        }
        let units = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("", 1000)];
        units
            .into_iter()
            .filter_map(|(unit, millis)| Some((text.strip_suffix(unit)?, millis)))
            .find_map(|(number, millis)| number.parse::<u64>().ok()?.checked_mul(millis))
            .map(|millis| Self(Some(Duration::from_millis(millis))))
            .ok_or("must be like 500ms, 30s, 5m, 1h or forever")
    }
}
