//! Short names of fixed capacity, stored without allocation.

use crate::model::InvalidValue;

/// A name of at most `MAX` bytes, without the terminating NUL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name<const MAX: usize> {
    bytes: [u8; MAX],
}

impl<const MAX: usize> Name<MAX> {
    /// Creates a name in a constant. `text` must not be longer than `MAX`; it would be cut.
    pub(crate) const fn known(text: &str) -> Self {
        let text = text.as_bytes();
        let mut bytes = [0; MAX];
        let mut rest: &mut [u8] = &mut bytes;
        let mut text: &[u8] = text;
        while let ([slot, tail @ ..], [byte, remaining @ ..]) = (rest, text) {
            *slot = *byte;
            rest = tail;
            text = remaining;
        }
        Self { bytes }
    }

    /// Takes a name that the kernel reports: all bytes before the first NUL. Returns `None`
    /// if the name is longer than the field of the kernel.
    pub(crate) fn reported(value: &[u8]) -> Option<Self> {
        let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut bytes = [0; MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { bytes })
    }

    /// Takes a name from a user. A name that is empty, too long or contains NUL breaks `rule`.
    pub(crate) fn given(
        field: &'static str,
        text: &str,
        rule: &'static str,
    ) -> Result<Self, InvalidValue> {
        Self::reported(text.as_bytes())
            .filter(|_| !text.is_empty() && !text.contains('\0'))
            .ok_or_else(|| InvalidValue::new(field, format!("{text:?}"), rule))
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        let len = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(MAX);
        self.bytes.get(..len).unwrap_or_default()
    }
}

/// Implements the common methods and traits of a newtype over [`Name`]: its bytes and text,
/// `Display` with escapes, `Debug`, and parsing.
macro_rules! name_traits {
    ($name:ident, $parse:path) => {
        impl $name {
            /// Returns the bytes of the name, without a terminating NUL. A kernel may report
            /// names that are not ASCII.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// Returns the name as text, or `None` if a kernel reported a name that is not
            /// UTF-8. `Display` prints every name and escapes odd bytes.
            #[must_use]
            pub fn as_str(&self) -> Option<&str> {
                std::str::from_utf8(self.as_bytes()).ok()
            }
        }

        impl std::fmt::Display for $name {
            /// The name. Bytes that are not printable ASCII are escaped, as in `\\xff`.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.as_bytes().escape_ascii().to_string())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::model::InvalidValue;

            /// Parses a name. It need not be one that this crate knows.
            ///
            /// # Errors
            ///
            /// The name is empty, too long, or has a character that such a name cannot have.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = $crate::model::InvalidValue;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                $parse(text)
            }
        }
    };
}
pub(crate) use name_traits;

/// Refuses names that must not reach the kernel, because the kernel passes unknown names to
/// `modprobe`.
pub(crate) fn check_module_name(
    field: &'static str,
    name: &[u8],
    rule: &'static str,
) -> Result<(), InvalidValue> {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.iter().all(plain) {
        return Ok(());
    }
    Err(InvalidValue::new(field, format!("\"{}\"", name.escape_ascii()), rule))
}

#[cfg(test)]
mod tests {
    use super::Name;

    #[test]
    fn a_known_name_equals_the_reported_one() {
        assert_eq!(Name::<15>::known("wlc").as_bytes(), b"wlc");
        assert!(Some(Name::<15>::known("wlc")) == Name::reported(b"wlc\0\0\0"));
    }

    #[test]
    fn a_name_may_fill_its_field_but_not_more() {
        assert_eq!(Name::<4>::reported(b"abcd").unwrap().as_bytes(), b"abcd");
        assert_eq!(Name::<4>::reported(b"abcd\0").unwrap().as_bytes(), b"abcd");
        assert!(Name::<4>::reported(b"abcde").is_none());
    }

    #[test]
    fn odd_text_is_refused_with_its_escapes() {
        for text in ["", "a\0b", "abcde"] {
            let error = Name::<4>::given("name", text, "rule").err().unwrap();
            assert_eq!(error.value(), format!("{text:?}"));
        }
    }
}
