use std::collections::{BTreeMap, btree_map};

use crate::model::{InvalidSetting, Setting, SettingValue};

/// Values of settings, each setting at most once, in the order of their names.
///
/// Values that were read may be outside of the range that this crate knows. Values are checked
/// before they are written: see [`validate`](Self::validate).
///
/// ```
/// use ipvs_netlink::{Setting, Settings};
///
/// let settings =
///     Settings::new().with(Setting::CONNTRACK, true).with(Setting::SYNC_THRESHOLD, (3, 50));
/// assert_eq!(settings.is_on(Setting::CONNTRACK), Some(true));
/// assert_eq!(settings.number(Setting::SYNC_PORTS), None);
/// assert!(settings.with(Setting::SYNC_PORTS, 3).validate().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings(BTreeMap<Setting, SettingValue>);

impl Settings {
    /// Creates an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets a value and returns the collection.
    #[must_use]
    pub fn with(mut self, setting: Setting, value: impl Into<SettingValue>) -> Self {
        self.insert(setting, value);
        self
    }

    /// Sets a value. Returns the former one, if there was one.
    pub fn insert(
        &mut self,
        setting: Setting,
        value: impl Into<SettingValue>,
    ) -> Option<SettingValue> {
        self.0.insert(setting, value.into())
    }

    /// Removes a setting and returns its value.
    pub fn remove(&mut self, setting: Setting) -> Option<SettingValue> {
        self.0.remove(&setting)
    }

    /// Returns the value of a setting, or `None` if it is absent.
    #[must_use]
    pub fn get(&self, setting: Setting) -> Option<&SettingValue> {
        self.0.get(&setting)
    }

    /// Returns the value of a setting that is a number, or `None` if it is absent or no number.
    #[must_use]
    pub fn number(&self, setting: Setting) -> Option<i64> {
        self.get(setting).and_then(SettingValue::as_number)
    }

    /// Returns whether a switch is on, or `None` if it is absent or no number.
    #[must_use]
    pub fn is_on(&self, setting: Setting) -> Option<bool> {
        self.get(setting).and_then(SettingValue::is_on)
    }

    /// Returns whether the kernel keeps the counters that clients read up to date. It does while
    /// `run_estimation` is on, unless `est_cpulist` is an empty list.
    ///
    /// Otherwise all counters that the kernel shows over netlink and in `/proc/net/ip_vs_stats` stand
    /// still. `None` means that the settings do not tell: Linux before 5.15 does not have
    /// `run_estimation` and always counts, and Linux 6.1 shows no settings in a network namespace of
    /// another user namespace.
    ///
    /// Source: `include/net/ip_vs.h:ip_vs_est_stopped_recalc`.
    ///
    /// ```
    /// use ipvs_netlink::{Setting, Settings};
    ///
    /// let settings = Settings::new().with(Setting::RUN_ESTIMATION, true);
    /// assert_eq!(settings.counters_run(), Some(true));
    /// assert_eq!(settings.with(Setting::EST_CPULIST, "").counters_run(), Some(false));
    /// assert_eq!(Settings::new().counters_run(), None);
    /// ```
    #[must_use]
    pub fn counters_run(&self) -> Option<bool> {
        let nowhere = matches!(self.get(Setting::EST_CPULIST), Some(SettingValue::Text(list)) if list.is_empty());
        if nowhere { Some(false) } else { self.is_on(Setting::RUN_ESTIMATION) }
    }

    /// Returns the number of settings.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no settings.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each setting with its value, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Setting, &SettingValue)> {
        self.0.iter().map(|(setting, value)| (*setting, value))
    }

    /// Checks every value, as [`Setting::validate`] does. Writers do this before they write
    /// anything.
    ///
    /// # Errors
    ///
    /// The first value that breaks the rule of its setting.
    pub fn validate(&self) -> Result<(), InvalidSetting> {
        self.iter().try_for_each(|(setting, value)| setting.validate(value))
    }
}

impl<V: Into<SettingValue>> Extend<(Setting, V)> for Settings {
    fn extend<I: IntoIterator<Item = (Setting, V)>>(&mut self, settings: I) {
        self.0.extend(settings.into_iter().map(|(setting, value)| (setting, value.into())));
    }
}

impl<V: Into<SettingValue>> FromIterator<(Setting, V)> for Settings {
    /// If a setting occurs twice, the last value stays.
    fn from_iter<I: IntoIterator<Item = (Setting, V)>>(settings: I) -> Self {
        let mut all = Self::new();
        all.extend(settings);
        all
    }
}

impl IntoIterator for Settings {
    type Item = (Setting, SettingValue);
    type IntoIter = btree_map::IntoIter<Setting, SettingValue>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_run_while_estimation_is_on_and_has_processors() {
        let on = Settings::new().with(Setting::RUN_ESTIMATION, true);
        let off = Settings::new().with(Setting::RUN_ESTIMATION, false);
        let list = |settings: &Settings, list| settings.clone().with(Setting::EST_CPULIST, list);
        for (settings, runs) in [
            (Settings::new(), None),
            (on.clone(), Some(true)),
            (Settings::new().with(Setting::RUN_ESTIMATION, 2), Some(true)),
            (Settings::new().with(Setting::RUN_ESTIMATION, "odd"), None),
            (list(&on, "0-3"), Some(true)),
            (list(&on, "0"), Some(true)),
            (list(&on, "\n"), Some(false)),
            (off.clone(), Some(false)),
            (list(&off, "0-3"), Some(false)),
            (list(&Settings::new(), ""), Some(false)),
            (list(&Settings::new(), "0"), None),
        ] {
            assert_eq!(settings.counters_run(), runs, "{settings:?}");
        }
    }
}
