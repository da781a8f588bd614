//! Short names that fit a kernel field, kept inline.

use crate::model::InvalidValue;

/// A name of at most `MAX` bytes, without the terminating NUL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name<const MAX: usize> {
    bytes: [u8; MAX],
}

impl<const MAX: usize> Name<MAX> {
    /// For names known when the crate is compiled. A longer one would be cut.
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

    /// A name as the kernel reports it: any bytes up to the first NUL. `None`
    /// when it is longer than the kernel's own field.
    pub(crate) fn reported(value: &[u8]) -> Option<Self> {
        let name = value.split(|byte| *byte == 0).next().unwrap_or_default();
        let mut bytes = [0; MAX];
        bytes.get_mut(..name.len())?.copy_from_slice(name);
        Some(Self { bytes })
    }

    /// A name from a user, checked for length; `rule` is what a longer, empty or
    /// NUL-carrying one breaks.
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

/// Gives a newtype over [`Name`] the traits that every such name has: it prints
/// as itself (odd bytes escaped), parses, and shows its bytes.
macro_rules! name_traits {
    ($name:ident, $parse:path) => {
        impl $name {
            /// The name's bytes, without a terminating NUL. Names that this crate
            /// accepts are ASCII; a kernel may report others.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.0.as_bytes()
            }

            /// The name as text, or `None` if a kernel reported something that is
            /// not UTF-8. `Display` always prints it, with odd bytes escaped.
            #[must_use]
            pub fn as_str(&self) -> Option<&str> {
                std::str::from_utf8(self.as_bytes()).ok()
            }
        }

        impl std::fmt::Display for $name {
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

            /// Reads a name, one that no kernel known here has, too.
            ///
            /// # Errors
            ///
            /// When the kernel could have nothing of that name: it is too long, or has
            /// characters that such names have not.
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

/// Refuses names that must not reach the kernel: it passes unknown ones to
/// modprobe.
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
