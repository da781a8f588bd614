use crate::model::InvalidValue;
use crate::model::name::{Name, name_traits};

/// The longest name of a setting, in bytes. The longest one of Linux 7.3 has 25.
const LONGEST: usize = 63;

const RULE: &str = "must be 1 to 63 characters of a-z 0-9 _, of which the first is a letter";

/// The name of a setting of IPVS: a file below `/proc/sys/net/ipv4/vs`.
///
/// Each network namespace has its own values. IPv6 services use the same settings. The names are an
/// open set: a setting that this crate does not know is read and set as it is.
/// [`known`](Self::known) says what a known setting does, its range and its default.
///
/// ```
/// use ipvs_netlink::Setting;
///
/// let setting: Setting = "conntrack".parse()?;
/// assert_eq!(setting, Setting::CONNTRACK);
/// assert_eq!(setting.known().map(|facts| facts.range.to_string()), Some("0 or 1".into()));
/// assert!("../../ip_forward".parse::<Setting>().is_err());
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Setting(Name<LONGEST>);

impl Setting {
    /// Creates the name of a setting, such as `conntrack`.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 63 bytes, does not begin with a letter, or has a character
    /// other than `a-z 0-9 _`. So the name is one component of a path, and no other file can be
    /// reached with it.
    pub fn new(name: &str) -> Result<Self, InvalidValue> {
        let setting = Self(Name::given("setting", name, RULE)?);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = name.bytes().next().is_some_and(|first| first.is_ascii_lowercase());
        match begins && name.bytes().all(plain) {
            true => Ok(setting),
            false => Err(InvalidValue::new("setting", format!("{name:?}"), RULE)),
        }
    }

    pub(super) const fn named(name: &str) -> Self {
        Self(Name::known(name))
    }
}

name_traits!(Setting, Setting::new);

#[cfg(test)]
mod tests {
    use super::Setting;

    #[test]
    fn a_name_is_one_file() {
        let long = "a".repeat(64);
        for name in [
            "", ".", "..", "a/b", "/etc", "a.b", "a\0", "a\n", "A", "_a", "1a", "a-b", "\u{e9}",
            &long,
        ] {
            let error = Setting::new(name).unwrap_err();
            assert_eq!(error.field(), "setting");
            assert_eq!(error.value(), format!("{name:?}"));
        }
        assert_eq!(Setting::new("a_9").unwrap().to_string(), "a_9");
        assert!(Setting::new(&"a".repeat(63)).is_ok());
    }
}
