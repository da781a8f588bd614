//! One timeout or setting that differs.

use std::fmt;
use std::time::Duration;

use crate::model::{Setting, SettingValue, TimeoutKind};

/// One difference of a [`SettingsPlan`](crate::table::SettingsPlan).
///
/// `Display` prints `timeout tcp 600 s -> 900 s` or `setting conntrack 0 -> 1`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingsChange {
    /// A timeout differs.
    #[non_exhaustive]
    Timeout {
        /// Which one.
        kind: TimeoutKind,
        /// What the kernel has, or `None` if it was not read.
        before: Option<Duration>,
        /// What the table declares.
        after: Duration,
    },
    /// A setting `net.ipv4.vs.*` differs.
    #[non_exhaustive]
    Setting {
        /// Which one.
        setting: Setting,
        /// What the kernel has, or `None` for a setting that the kernel does not have.
        before: Option<SettingValue>,
        /// What the table declares.
        after: SettingValue,
    },
}

impl SettingsChange {
    /// Returns `true` if both are about the same timeout or setting.
    #[must_use]
    pub fn is_about_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Timeout { kind, .. }, Self::Timeout { kind: other, .. }) => kind == other,
            (Self::Setting { setting, .. }, Self::Setting { setting: other, .. }) => {
                setting == other
            }
            _ => false,
        }
    }

    /// The name as text: `timeout tcp`, `setting conntrack`.
    pub(in crate::table) fn name(&self) -> String {
        match self {
            Self::Timeout { kind, .. } => format!("timeout {kind}"),
            Self::Setting { setting, .. } => format!("setting {setting}"),
        }
    }

    /// What the kernel has, as text.
    pub(in crate::table) fn before(&self) -> Option<String> {
        match self {
            Self::Timeout { before, .. } => before.map(seconds),
            Self::Setting { before, .. } => before.as_ref().map(shown),
        }
    }

    /// What the table declares, as text.
    pub(in crate::table) fn after(&self) -> String {
        match self {
            Self::Timeout { after, .. } => seconds(*after),
            Self::Setting { after, .. } => shown(after),
        }
    }
}

impl fmt::Display for SettingsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before();
        let before = before.as_deref().unwrap_or("absent");
        write!(f, "{} {before} -> {}", self.name(), self.after())
    }
}

fn seconds(timeout: Duration) -> String {
    format!("{} s", timeout.as_secs())
}

/// Returns a value for people. An empty list of processors is visible.
fn shown(value: &SettingValue) -> String {
    match value {
        SettingValue::Text(_) => value.shown(),
        other => other.to_string(),
    }
}
