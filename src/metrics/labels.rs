use std::collections::HashMap;

use crate::model::{InvalidValue, ServiceId};

/// The names that samples of this crate have for labels.
const TAKEN: &[&str] = &[
    "address",
    "check",
    "family",
    "flags",
    "forward",
    "fwmark",
    "kind",
    "le",
    "namespace",
    "operation",
    "persistence_engine",
    "port",
    "protocol",
    "real_address",
    "real_port",
    "result",
    "scheduler",
    "state",
    "tunnel",
    "version",
];

/// The most labels of one service, and the most bytes of a name and of a value.
const MAX_COUNT: usize = 32;
const MAX_BYTES: usize = 1024;

/// Labels of the user's own, such as the name of a service or of a team, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Sorted by name.
    labels: Vec<(String, String)>,
}

/// The labels of the user's own for each service. They are added to every sample of the service and of
/// its destinations.
pub type ServiceLabels = HashMap<ServiceId, Labels>;

impl Labels {
    /// Creates an empty list.
    #[must_use]
    pub const fn new() -> Self {
        Self { labels: Vec::new() }
    }

    /// Sets a label. The value may be any text; an empty value removes the label.
    ///
    /// ```
    /// use ipvs_netlink::metrics::Labels;
    ///
    /// let mut labels = Labels::new();
    /// labels.set("team", "checkout")?;
    /// assert_eq!(labels.iter().collect::<Vec<_>>(), [("team", "checkout")]);
    /// assert!(labels.set("port", "80").is_err(), "samples have a label of this name");
    /// assert!(labels.set("my team", "checkout").is_err());
    /// # Ok::<(), ipvs_netlink::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - The name is not of the form `[a-zA-Z_][a-zA-Z0-9_]*`, or begins with `__`, which Prometheus keeps
    ///   for itself.
    /// - Samples of this crate have a label of that name, such as `port`.
    /// - The name or the value is longer than 1,024 bytes, or there are more than 32 labels.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), InvalidValue> {
        let refuse = |text: &str, rule| Err(InvalidValue::new("label", format!("{text:?}"), rule));
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !starts || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return refuse(
                name,
                "must begin with a letter or _, and have letters, digits and _ only",
            );
        }
        if name.starts_with("__") {
            return refuse(name, "must not begin with two underscores");
        }
        if TAKEN.contains(&name) {
            return refuse(name, "samples have a label of this name already");
        }
        if name.len() > MAX_BYTES || value.len() > MAX_BYTES {
            return refuse(
                if name.len() > MAX_BYTES { "..." } else { name },
                "must have at most 1024 bytes",
            );
        }
        match self.labels.binary_search_by(|(known, _)| known.as_str().cmp(name)) {
            Ok(at) if value.is_empty() => drop(self.labels.remove(at)),
            Ok(at) => {
                self.labels.get_mut(at).into_iter().for_each(|it| value.clone_into(&mut it.1))
            }
            Err(_) if value.is_empty() => {}
            Err(_) if self.labels.len() >= MAX_COUNT => {
                return refuse(name, "a service has at most 32 labels");
            }
            Err(at) => self.labels.insert(at, (name.to_owned(), value.to_owned())),
        }
        Ok(())
    }

    /// Yields the labels with their values, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns `true` if there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_prometheus_takes() {
        let mut labels = Labels::new();
        for name in ["", "9a", "a-b", "a b", "a\"", "\u{e9}", "__name__", "__x", "port", "le"] {
            assert_eq!(labels.set(name, "x").unwrap_err().field(), "label", "{name}");
        }
        assert!(labels.is_empty());
        for name in ["_", "_a", "a9", "Team", "name"] {
            labels.set(name, "any \"text\"\n\\ \u{1f600}").unwrap();
        }
        assert_eq!(labels.iter().count(), 5);
    }

    #[test]
    fn each_name_has_the_last_value() {
        let mut labels = Labels::new();
        for (name, value) in [("team", "a"), ("name", "b"), ("team", "c"), ("none", "")] {
            labels.set(name, value).unwrap();
        }
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("name", "b"), ("team", "c")]);
        labels.set("team", "").unwrap();
        assert_eq!(labels.iter().collect::<Vec<_>>(), [("name", "b")]);
    }

    #[test]
    fn there_are_bounds() {
        let mut labels = Labels::new();
        assert!(labels.set("a", &"x".repeat(1025)).is_err());
        assert!(labels.set(&"a".repeat(1025), "x").is_err());
        for n in 0..32 {
            labels.set(&format!("label_{n}"), "x").unwrap();
        }
        assert!(labels.set("another", "x").is_err());
        labels.set("label_7", "y").unwrap();
    }
}
