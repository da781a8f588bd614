use crate::model::{Setting, SettingValue};

/// A value that breaks the rule of its setting: setting, value and rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("setting {setting} {}: {rule}", .value.shown())]
pub struct InvalidSetting {
    setting: Setting,
    value: SettingValue,
    rule: String,
}

impl InvalidSetting {
    pub(super) const fn new(setting: Setting, value: SettingValue, rule: String) -> Self {
        Self { setting, value, rule }
    }

    /// Returns the setting.
    #[must_use]
    pub const fn setting(&self) -> Setting {
        self.setting
    }

    /// Returns the value that was refused.
    #[must_use]
    pub const fn value(&self) -> &SettingValue {
        &self.value
    }

    /// Returns the rule that the value breaks, such as `must be 0 to 3`.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}
