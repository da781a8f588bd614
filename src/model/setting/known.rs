//! What this crate says of a setting, and checks that need its facts.

use std::fmt;

use crate::model::{InvalidSetting, Setting, SettingRange, SettingValue};

/// What this crate knows about a setting.
///
/// [`Setting::known`] returns it for one setting, [`Setting::KNOWN`] has all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownSetting {
    /// The name.
    pub setting: Setting,
    /// What the setting does.
    pub meaning: &'static str,
    /// The unit of the value, such as `seconds`, or `None` if it has none.
    pub unit: Option<&'static str>,
    /// The values that have a meaning. Others are not written.
    pub range: SettingRange,
    /// What the kernel takes beside the range, or `None` if it refuses other values (`EINVAL`).
    pub beyond: Option<&'static str>,
    /// The value in a new network namespace.
    pub default: SettingDefault,
    /// The first Linux that has the setting, as major and minor version. `None` for those that Linux
    /// 4.1 has.
    pub since: Option<(u16, u16)>,
    /// What the setting needs beside `ip_vs`, such as a module, or `None`.
    pub needs: Option<&'static str>,
    /// Where the setting can be written.
    pub writable: SettingWritable,
}

/// The value of a setting in a new network namespace.
///
/// `Display` prints it for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingDefault {
    /// A number.
    Number(i64),
    /// Two numbers.
    Pair(i64, i64),
    /// A number that differs in the initial network namespace.
    #[non_exhaustive]
    ByNamespace {
        /// In the initial network namespace.
        initial: i64,
        /// In all others.
        others: i64,
    },
    /// What the kernel computes, in words.
    Computed(&'static str),
}

impl fmt::Display for SettingDefault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Pair(first, second) => write!(f, "{first} {second}"),
            Self::ByNamespace { initial, others } => {
                write!(f, "{others}; {initial} in the initial network namespace")
            }
            Self::Computed(words) => f.write_str(words),
        }
    }
}

/// Where a setting can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingWritable {
    /// In every network namespace that has the setting.
    Everywhere,
    /// Only in network namespaces that belong to the initial user namespace. Elsewhere the file is
    /// read-only.
    InitialUserNamespace,
    /// Only in the initial network namespace, for the whole host.
    InitialNetworkNamespace,
}

impl Setting {
    /// Returns what this crate knows about the setting, or `None` for a setting of a newer kernel.
    #[must_use]
    pub fn known(&self) -> Option<&'static KnownSetting> {
        Self::KNOWN.iter().find(|known| known.setting == *self)
    }

    /// Checks a value against the range of the setting. Writers do this before they write anything.
    ///
    /// The value of a setting that this crate does not know may be one or two numbers, or a text of
    /// at most 255 bytes of printable ASCII.
    ///
    /// # Errors
    ///
    /// The value is not in the range.
    pub fn validate(&self, value: &SettingValue) -> Result<(), InvalidSetting> {
        let rule = match self.known() {
            Some(known) if known.range.contains(value) => return Ok(()),
            Some(KnownSetting { range, .. }) => format!("must be {range}"),
            None if plain(value) => return Ok(()),
            None => "must be at most 255 bytes of printable ASCII".to_owned(),
        };
        Err(InvalidSetting::new(*self, value.clone(), rule))
    }

    /// Returns `true` if two values ask the kernel for the same.
    ///
    /// The kernel sets the automatic mode of `drop_entry`, `drop_packet` and `secure_tcp` to 1 or 2
    /// by itself, as memory gets scarce, so both are the same. So are all numbers but 0 for a switch,
    /// and lists of the same processors.
    #[must_use]
    pub fn is_same(&self, one: &SettingValue, other: &SettingValue) -> bool {
        let same = |meaning: fn(i64) -> i64| match (one.as_number(), other.as_number()) {
            (Some(one), Some(other)) => meaning(one) == meaning(other),
            _ => false,
        };
        one == other
            || match self.known().map(|known| (known.setting, known.range)) {
                Some((Self::DROP_ENTRY | Self::DROP_PACKET | Self::SECURE_TCP, _)) => {
                    same(|mode| if mode == 2 { 1 } else { mode })
                }
                Some((_, SettingRange::Processors)) => {
                    let list = super::range::processors;
                    list(one).is_some_and(|ranges| list(other) == Some(ranges))
                }
                Some((_, SettingRange::Switch)) => same(|number| (number != 0).into()),
                _ => false,
            }
    }
}

/// Returns `true` for a value that may be written to a setting without a known range.
fn plain(value: &SettingValue) -> bool {
    let SettingValue::Text(text) = value else { return true };
    text.len() <= super::value::LONGEST
        && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_setting_value_and_rule() {
        let text = |setting: &str, value: &str| {
            let setting: Setting = setting.parse().unwrap();
            setting.validate(&SettingValue::parse(value)).unwrap_err().to_string()
        };
        assert_eq!(
            text("sync_ports", "3"),
            "setting sync_ports 3: must be a power of two, 1 to 64"
        );
        assert_eq!(text("conntrack", "on"), "setting conntrack \"on\": must be 0 or 1");
        let unknown = "setting tomorrow \"a\\u{1b}\": must be at most 255 bytes of printable ASCII";
        assert_eq!(text("tomorrow", "a\x1b"), unknown);
        let long = text("tomorrow", &"a".repeat(256));
        assert!(long.starts_with("setting tomorrow of 256 bytes: must be"), "{long}");
        let tomorrow = Setting::new("tomorrow").unwrap();
        assert_eq!((tomorrow.known(), tomorrow.validate(&"5".into())), (None, Ok(())));
    }

    #[test]
    fn what_the_kernel_changes_by_itself_is_the_same() {
        let same =
            |setting: Setting, one: i64, other: i64| setting.is_same(&one.into(), &other.into());
        assert!(same(Setting::DROP_ENTRY, 1, 2) && !same(Setting::DROP_ENTRY, 2, 3));
        assert!(same(Setting::CONNTRACK, 1, -5) && !same(Setting::CONNTRACK, 0, 1));
        assert!(Setting::EST_CPULIST.is_same(&"0,1".into(), &"0-1".into()));
        assert!(!Setting::EST_CPULIST.is_same(&"0,1".into(), &"".into()));
        assert!(!same(Setting::SYNC_RETRIES, 1, 2));
        assert!(!Setting::CONNTRACK.is_same(&1.into(), &"x".into()));
    }
}
