use std::collections::BTreeMap;

use crate::model::InvalidValue;

/// The most labels of a service.
const MOST: usize = 16;

/// The longest name and the longest text, in bytes.
const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 255;

/// The names that no label may have: those of labels in metrics of this crate, those that Prometheus adds,
/// and those that further metrics are to use. The list does not grow, because a longer one would make table
/// files invalid: labels with other names are to begin with [`PREFIX`].
const RESERVED: &[&str] = &[
    "address",
    "alertname",
    "check",
    "cpu",
    "destination",
    "direction",
    "error",
    "family",
    "flags",
    "forward",
    "fwmark",
    "instance",
    "interface",
    "job",
    "kind",
    "le",
    "local_address",
    "local_mark",
    "local_port",
    "netns",
    "operation",
    "persistence_engine",
    "port",
    "proto",
    "protocol",
    "quantile",
    "real_address",
    "real_port",
    "reason",
    "remote_address",
    "remote_port",
    "result",
    "role",
    "scheduler",
    "service",
    "state",
    "tunnel",
    "type",
    "version",
];

/// How no label may begin.
const PREFIX: &str = "ipvs_";

/// Labels of a service for metrics, such as a name and a team.
///
/// A label has a name and a text. Labels are never sent to the kernel, and two services that differ
/// in labels only make no difference in a plan. A service has at most 16 labels.
///
/// ```
/// use ipvs_netlink::Service;
/// use ipvs_netlink::table::{Labels, TableService};
///
/// let mut labels = Labels::new();
/// labels.insert("team", "web")?;
/// assert!(labels.insert("protocol", "http").is_err()); // metrics use this name
/// let service = TableService::new(Service::tcp("192.0.2.10:80".parse()?)).labelled(labels);
/// assert_eq!(service.labels().get("team"), Some("web"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(BTreeMap<Box<str>, Box<str>>);

impl Labels {
    /// Creates an empty collection.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Sets a label. Returns the former text, if there was one.
    ///
    /// # Errors
    ///
    /// - The name is not 1 to 64 characters of `A-Z a-z 0-9 _`, or begins with a digit or with `__`.
    /// - The name is reserved: it begins with `ipvs_`, or metrics of this crate or Prometheus use it. These
    ///   are `address`, `alertname`, `check`, `cpu`, `destination`, `direction`, `error`, `family`, `flags`,
    ///   `forward`, `fwmark`, `instance`, `interface`, `job`, `kind`, `le`, `local_address`, `local_mark`,
    ///   `local_port`, `netns`, `operation`, `persistence_engine`, `port`, `proto`, `protocol`, `quantile`,
    ///   `real_address`, `real_port`, `reason`, `remote_address`, `remote_port`, `result`, `role`,
    ///   `scheduler`, `service`, `state`, `tunnel`, `type` and `version`. Later versions reserve no others.
    /// - The text is longer than 255 bytes, or has control characters.
    /// - The service has 16 other labels.
    pub fn insert(&mut self, name: &str, text: &str) -> Result<Option<String>, InvalidValue> {
        check_name(name)?;
        check_text(text)?;
        if self.0.len() >= MOST && !self.0.contains_key(name) {
            return Err(InvalidValue::new("label", name, "must not be more than 16 of a service"));
        }
        Ok(self.0.insert(name.into(), text.into()).map(String::from))
    }

    /// Removes a label and returns its text.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).map(String::from)
    }

    /// Returns the text of a label, or `None` if there is none with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(AsRef::as_ref)
    }

    /// Returns the number of labels.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns `true` if there are no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns each name with its text, in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (&**name, &**text))
    }
}

fn check_name(name: &str) -> Result<(), InvalidValue> {
    let invalid = |rule| Err(InvalidValue::new("label", format!("{name:?}"), rule));
    if name.len() > LONGEST_NAME {
        let value = format!("of {} bytes", name.len());
        return Err(InvalidValue::new("label", value, "must have a name of at most 64 bytes"));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let begins = name.bytes().next().is_some_and(|first| !first.is_ascii_digit());
    if !begins || !name.bytes().all(plain) {
        return invalid("must have a name of A-Z a-z 0-9 _ that does not begin with a digit");
    }
    if name.starts_with("__") {
        return invalid("must not begin with __, which Prometheus keeps for itself");
    }
    if name.starts_with(PREFIX) {
        return invalid("must not begin with ipvs_, which metrics keep for themselves");
    }
    if RESERVED.contains(&name) {
        return invalid("must have another name, because metrics use this one");
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), InvalidValue> {
    if text.len() > LONGEST_TEXT {
        let value = format!("of {} bytes", text.len());
        return Err(InvalidValue::new("label text", value, "must be at most 255 bytes"));
    }
    match text.contains(char::is_control) {
        true => Err(InvalidValue::new(
            "label text",
            format!("{text:?}"),
            "must not have control characters",
        )),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Labels, RESERVED};

    #[test]
    fn names_are_those_of_prometheus_that_metrics_do_not_use() {
        let mut labels = Labels::new();
        for name in ["team", "_x", "A9", "namespace", &"a".repeat(64)] {
            assert_eq!(labels.insert(name, "text"), Ok(None), "{name}");
        }
        assert_eq!(labels.insert("team", "other"), Ok(Some("text".into())));
        let reserved = RESERVED.iter().copied();
        let long = "a".repeat(65);
        for name in reserved.chain([
            "ipvs_zone",
            "",
            "9a",
            "__a",
            "a-b",
            "a b",
            "a:b",
            "\u{e9}",
            "a\n",
            &long,
        ]) {
            let error = labels.insert(name, "text").unwrap_err();
            assert_eq!(error.field(), "label");
            let text = error.to_string();
            assert!(text.len() < 200 && !text.contains(char::is_control), "{text}");
        }
        assert_eq!(labels.len(), 5);
        assert!(RESERVED.is_sorted());
    }

    #[test]
    fn the_documentation_lists_what_is_reserved() {
        let text = include_str!("labels.rs").split("/// - The name is reserved").nth(1).unwrap();
        let text = text.split("Later versions").next().unwrap();
        let listed: Vec<_> = text.split('`').skip(3).step_by(2).collect();
        assert_eq!(listed, RESERVED);
    }

    #[test]
    fn texts_and_counts_are_bounded() {
        let mut labels = Labels::new();
        for text in ["a\nb", "\0", "\u{1b}[31m", "\u{9b}", &"a".repeat(256)] {
            assert_eq!(labels.insert("name", text).unwrap_err().field(), "label text");
        }
        for index in 0..16 {
            labels.insert(&format!("l{index}"), &"\u{e9}".repeat(127)).unwrap();
        }
        assert!(labels.insert("one_more", "").is_err());
        assert!(labels.insert("l3", "").is_ok());
        assert_eq!(labels.iter().len(), 16);
    }
}
