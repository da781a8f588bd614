use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use crate::kubernetes::excerpt::Excerpt;
use crate::model::InvalidValue;

/// The namespace of objects that name none.
pub(crate) const DEFAULT_NAMESPACE: &str = "default";

/// The longest name, in bytes: that of a DNS subdomain.
const LONGEST: usize = 253;

const RULE: &str = "must be 1 to 253 characters of a-z A-Z 0-9 . -";

/// The namespace and the name of a Kubernetes object: `shop/web`.
///
/// Cloning is cheap. The order is by namespace, then by name.
///
/// ```
/// use ipvs_netlink::kubernetes::ObjectName;
///
/// let web: ObjectName = "shop/web".parse()?;
/// assert_eq!((web.namespace(), web.name()), ("shop", "web"));
/// assert_eq!("web".parse::<ObjectName>()?.namespace(), "default");
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct ObjectName {
    /// Both, one behind the other.
    text: Arc<str>,
    /// The length of the namespace.
    split: usize,
}

impl ObjectName {
    /// Creates a name. An empty namespace means `default`, as for `kubectl`.
    #[must_use]
    pub fn new(namespace: &str, name: &str) -> Self {
        let namespace = or_default(namespace);
        let mut text = String::with_capacity(namespace.len() + name.len());
        text.push_str(namespace);
        text.push_str(name);
        Self { text: text.into(), split: namespace.len() }
    }

    /// Returns the namespace.
    #[must_use]
    pub fn namespace(&self) -> &str {
        self.text.get(..self.split).unwrap_or_default()
    }

    /// Returns the name within the namespace.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text.get(self.split..).unwrap_or_default()
    }

    /// Refuses what no API server lets through, such as a name with a slash or a line break.
    pub(crate) fn validate(&self) -> Result<(), InvalidValue> {
        for (field, text) in
            [("metadata.namespace", self.namespace()), ("metadata.name", self.name())]
        {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
            if text.is_empty() || text.len() > LONGEST || !text.bytes().all(plain) {
                return Err(InvalidValue::new(field, Excerpt::of(text).quoted(), RULE));
            }
        }
        Ok(())
    }
}

/// Returns the namespace that an object without one is in.
pub(crate) const fn or_default(namespace: &str) -> &str {
    if namespace.is_empty() { DEFAULT_NAMESPACE } else { namespace }
}

impl Hash for ObjectName {
    /// Leaves out where the name begins: few names differ in that alone.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Ord for ObjectName {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.namespace().cmp(other.namespace()) {
            Ordering::Equal => self.name().cmp(other.name()),
            unequal => unequal,
        }
    }
}

impl PartialOrd for ObjectName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ObjectName {
    /// `NAMESPACE/NAME`, with escapes for control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace().escape_debug(), self.name().escape_debug())
    }
}

impl fmt::Debug for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ObjectName {
    type Err = InvalidValue;

    /// Reads `NAMESPACE/NAME`, or `NAME` in the namespace `default`.
    ///
    /// # Errors
    ///
    /// A part is empty, longer than 253 characters, or has other characters than letters, digits,
    /// dots and dashes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (namespace, name) = text.split_once('/').unwrap_or((DEFAULT_NAMESPACE, text));
        if namespace.is_empty() {
            return Err(InvalidValue::new("metadata.namespace", "\"\"", RULE));
        }
        let name = Self::new(namespace, name);
        name.validate().map(|()| name)
    }
}

#[cfg(test)]
mod tests {
    use super::ObjectName;

    #[test]
    fn text_round_trips() {
        for text in ["shop/web", "default/kubernetes", "a/b.c-d"] {
            assert_eq!(text.parse::<ObjectName>().unwrap().to_string(), text);
        }
        assert_eq!(ObjectName::new("", "web").to_string(), "default/web");
        for text in ["", "/web", "shop/", "a/b/c", "a b", "a/b\n", &"x".repeat(254)] {
            assert!(text.parse::<ObjectName>().is_err(), "{text}");
        }
    }

    #[test]
    fn control_characters_are_escaped() {
        let name = ObjectName::new("a\u{1b}[31m", "b\n");
        assert!(!name.to_string().contains(char::is_control));
        assert!(name.validate().is_err());
    }
}
