use std::fmt;

/// What is known of a target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// No check has decided yet. A destination stays in the table as it is.
    #[default]
    Unknown,
    /// The target works.
    Up,
    /// The target does not work.
    Down,
}

impl Verdict {
    /// Returns the name for programs, logs and metrics: `unknown`, `up` or `down`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many of the checks of a destination must say that it works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Combination {
    /// All of them.
    #[default]
    All,
    /// One of them.
    Any,
    /// This many. A number above that of the checks means all of them; 0 means one.
    AtLeast(usize),
}

impl Combination {
    /// Combines the verdicts of the checks of one destination. Without checks the destination is
    /// [`Verdict::Up`].
    ///
    /// ```
    /// use ipvs_netlink::health::Combination;
    /// use ipvs_netlink::health::Verdict::{Down, Unknown, Up};
    ///
    /// assert_eq!(Combination::All.of([Up, Unknown]), Unknown);
    /// assert_eq!(Combination::All.of([Up, Unknown, Down]), Down);
    /// assert_eq!(Combination::Any.of([Down, Up, Unknown]), Up);
    /// assert_eq!(Combination::AtLeast(2).of([Up, Down, Up]), Up);
    /// ```
    #[must_use]
    pub fn of(self, verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
        let (mut all, mut up, mut down) = (0_usize, 0_usize, 0_usize);
        for verdict in verdicts {
            all += 1;
            up += usize::from(verdict == Verdict::Up);
            down += usize::from(verdict == Verdict::Down);
        }
        let needed = match self {
            Self::All => all,
            Self::Any => all.min(1),
            Self::AtLeast(needed) => needed.max(1).min(all),
        };
        match (up >= needed, all - down < needed) {
            (true, _) => Verdict::Up,
            (false, true) => Verdict::Down,
            (false, false) => Verdict::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Verdict::{Down, Unknown, Up};

    #[test]
    fn a_combination_is_decided_as_soon_as_no_check_can_change_it() {
        let all = [Unknown, Up, Down];
        for a in all {
            for b in all {
                for c in all {
                    for needed in 1..=3 {
                        let verdict = Combination::AtLeast(needed).of([a, b, c]);
                        // What the unknown ones may become.
                        let either = |as_if: Verdict| {
                            let decided = |v| if v == Unknown { as_if } else { v };
                            let up = [a, b, c].into_iter().filter(|v| decided(*v) == Up).count();
                            if up >= needed { Up } else { Down }
                        };
                        let expected =
                            if either(Up) == either(Down) { either(Up) } else { Unknown };
                        assert_eq!(verdict, expected, "{a} {b} {c}, {needed}");
                    }
                }
            }
        }
        assert_eq!(Combination::All.of([]), Up);
        assert_eq!(Combination::Any.of([]), Up);
        assert_eq!(Combination::AtLeast(9).of([Up, Up]), Up);
        assert_eq!(Combination::AtLeast(0).of([Down, Up]), Up);
        assert_eq!(Combination::Any.of([Down, Down]), Down);
    }
}
