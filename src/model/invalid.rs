/// A value that breaks a rule: field, value and rule.
///
/// Clients check the rules before they send anything, because the kernel answers nearly
/// every bad setting with `EINVAL` and does not name the field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{field} {value}: {rule}")]
pub struct InvalidValue {
    field: &'static str,
    value: String,
    rule: &'static str,
}

/// A function that is called for each broken rule. It returns an error to end the check, or
/// `Ok` to continue.
pub(crate) trait OnBroken<E>: FnMut(InvalidValue) -> Result<(), E> {}

impl<E, F: FnMut(InvalidValue) -> Result<(), E>> OnBroken<E> for F {}

impl InvalidValue {
    /// The caller must quote text from outside with `{:?}`, so that control characters do not
    /// reach a terminal.
    pub(crate) fn new(field: &'static str, value: impl Into<String>, rule: &'static str) -> Self {
        Self { field, value: value.into(), rule }
    }

    /// Returns the name of the setting in this crate, such as `weight`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// Returns the value as text. Text from outside is quoted and escaped.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Returns the rule that the value breaks, such as `must be at most 2147483647`.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}
