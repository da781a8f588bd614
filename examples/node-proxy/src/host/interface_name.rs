use std::fmt;
use std::str::FromStr;

/// The name of a network interface: 1 to 15 bytes of printable ASCII without `/`, `:` and space.
///
/// Source in the kernel: `net/core/dev.c:dev_valid_name`, which takes a little more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InterfaceName(String);

impl InterfaceName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The text is no name of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be 1 to 15 printable ASCII characters without `/`, `:` and space, and not `.`, `..` or with `%`"
)]
pub struct InvalidInterfaceName;

impl FromStr for InterfaceName {
    type Err = InvalidInterfaceName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |byte: u8| byte.is_ascii_graphic() && !b"/:%".contains(&byte);
        let valid = (1..=15).contains(&text.len())
            && text.bytes().all(legal)
            && ![".", ".."].contains(&text);
        if valid { Ok(Self(text.to_owned())) } else { Err(InvalidInterfaceName) }
    }
}

impl fmt::Display for InterfaceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_what_the_kernel_takes() {
        for valid in ["ipvs-node0", "a", "kube-ipvs0", "exactly15chars_"] {
            assert_eq!(valid.parse::<InterfaceName>().unwrap().to_string(), valid);
        }
        // The kernel takes `%d` as a pattern.
        for invalid in ["", ".", "..", "a/b", "a:1", "a b", "dummy%d", "exactly16chars__", "\u{e4}"]
        {
            assert_eq!(invalid.parse::<InterfaceName>(), Err(InvalidInterfaceName), "{invalid}");
        }
    }
}
