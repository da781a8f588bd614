use std::fmt;

/// Prints the first items of a list, and the number of the others.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Few<'a, T>(pub(crate) &'a [T]);

const SHOWN: usize = 3;

impl<T: fmt::Display> fmt::Display for Few<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().take(SHOWN).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{item}")?;
        }
        match self.0.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut() {
        assert_eq!(Few(&[1]).to_string(), "1");
        assert_eq!(Few(&[1, 2, 3]).to_string(), "1, 2, 3");
        assert_eq!(Few(&[1, 2, 3, 4, 5]).to_string(), "1, 2, 3 and 2 more");
    }
}
