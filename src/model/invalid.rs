/// A value that was refused before anything was sent to the kernel.
///
/// IPVS answers nearly every bad setting with a bare `EINVAL`, so the rules are
/// checked here, where the field and the rule can be named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {value}: {rule}")]
pub struct InvalidValue {
    field: &'static str,
    value: String,
    rule: &'static str,
}

/// What to do about a broken rule: stop with an error, or note it and go on.
///
/// Rules are written once, in a function that hands each broken one to a value of this kind.
pub(crate) trait OnBroken<E>: FnMut(InvalidValue) -> Result<(), E> {}

impl<E, F: FnMut(InvalidValue) -> Result<(), E>> OnBroken<E> for F {}

impl InvalidValue {
    /// Text from outside is quoted by the caller with `{:?}`, so that control
    /// characters cannot reach a terminal.
    pub(crate) fn new(field: &'static str, value: impl Into<String>, rule: &'static str) -> Self {
        Self { field, value: value.into(), rule }
    }

    /// The setting, by its name in this crate, such as `weight`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }

    /// The value that was given, as text. Text that came from outside is quoted
    /// and escaped.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The rule it breaks, such as `must be at most 2147483647`.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}
