//! The text of the state file.

use std::time::{Duration, SystemTime};

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::{DestinationId, ServiceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::configuration::SharedAddress;
use crate::state::{Saved, SavedMaintenance, Withdrawal};

/// The version of the file that this program writes, and the only one that it reads.
///
/// Raise it when a key comes or goes: an older program refuses keys that it does not know. A file of a version
/// that [`Saved::parse`] does not read is set aside, and its orders are lost. So let it read the former
/// version, too.
const VERSION: u32 = 1;

/// Why the text of a state file is refused.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The text is not what this program writes.
    #[error("{0}")]
    Text(#[from] serde_json::Error),
    /// The file is of another version.
    #[error("the file has the version {0}, and this program reads version {VERSION}")]
    Version(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default)]
    owned: Vec<ServiceId>,
    #[serde(default)]
    maintenances: Vec<Maintenance>,
    #[serde(default)]
    weights: Vec<Weight>,
    #[serde(default)]
    withdrawals: Vec<Command>,
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Maintenance {
    service: ServiceId,
    destination: DestinationId,
    kind: MaintenanceKind,
    #[serde(default)]
    by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weight {
    service: ServiceId,
    destination: DestinationId,
    weight: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    service: ServiceId,
    command: Vec<String>,
    timeout_ms: u64,
    retry_ms: u64,
    shared_address: Shared,
}

#[derive(Serialize, Deserialize)]
#[serde(remote = "SharedAddress", rename_all = "lowercase")]
enum SharedText {
    Any,
    All,
    Ignore,
}

#[derive(Serialize, Deserialize)]
struct Shared(#[serde(with = "SharedText")] SharedAddress);

/// The greatest weight that the kernel has.
pub(crate) const GREATEST_WEIGHT: u32 = i32::MAX.unsigned_abs();

impl Saved {
    /// Writes the text of the file.
    #[must_use]
    pub fn text(&self) -> String {
        let maintenance = |((service, destination), saved): (&(_, _), &SavedMaintenance)| {
            let SavedMaintenance { kind, by, until } = saved.clone();
            let until = until.and_then(|until| Timestamp::try_from(until).ok());
            Maintenance { service: *service, destination: *destination, kind, by, until }
        };
        let weight = |(&(service, destination), &weight): (&(_, _), &u32)| Weight {
            service,
            destination,
            weight,
        };
        let command = |(service, saved): (&ServiceId, &Withdrawal)| {
            let Withdrawal { command, timeout, retry, shared_address } = saved.clone();
            let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            let (timeout_ms, retry_ms) = (ms(timeout), ms(retry));
            let shared_address = Shared(shared_address);
            Command { service: *service, command, timeout_ms, retry_ms, shared_address }
        };
        let document = Document {
            version: VERSION,
            owned: self.owned.iter().copied().collect(),
            maintenances: self.maintenances.iter().map(maintenance).collect(),
            weights: self.weights.iter().map(weight).collect(),
            withdrawals: self.withdrawals.iter().map(command).collect(),
        };
        // Only maps with keys that are no text fail.
        let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// The text is not what [`text`](Self::text) writes, or of another version.
    pub fn parse(text: &[u8]) -> Result<Self, Broken> {
        // Another version may have any keys.
        let Version { version } = serde_json::from_slice(text)?;
        if version != VERSION {
            return Err(Broken::Version(version));
        }
        let document: Document = serde_json::from_slice(text)?;
        let refuse = |text: String| Err(Broken::Text(serde::de::Error::custom(text)));
        let mut saved = Self { owned: document.owned.into_iter().collect(), ..Self::default() };
        for Maintenance { service, destination, kind, by, until } in document.maintenances {
            let until = until.map(SystemTime::from);
            let maintenance = SavedMaintenance { kind, by, until };
            if saved.maintenances.insert((service, destination), maintenance).is_some() {
                return refuse(format!("{service} -> {destination} has two maintenances"));
            }
        }
        for Weight { service, destination, weight } in document.weights {
            if weight > GREATEST_WEIGHT {
                return refuse(format!(
                    "{service} -> {destination}: no kernel has weight {weight}"
                ));
            }
            if saved.weights.insert((service, destination), weight).is_some() {
                return refuse(format!("{service} -> {destination} has two weights"));
            }
        }
        for Command { service, command, timeout_ms, retry_ms, shared_address } in
            document.withdrawals
        {
            let timeout = Duration::from_millis(timeout_ms);
            let retry = Duration::from_millis(retry_ms);
            let Shared(shared_address) = shared_address;
            let withdrawal = Withdrawal { command, timeout, retry, shared_address };
            if withdrawal.command.is_empty() {
                return refuse(format!("{service} is withdrawn by an empty command"));
            }
            if saved.withdrawals.insert(service, withdrawal).is_some() {
                return refuse(format!("{service} is withdrawn by two commands"));
            }
        }
        Ok(saved)
    }
}
