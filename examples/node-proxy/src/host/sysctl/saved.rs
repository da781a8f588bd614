//! The values that sysctls had before this program changed them, as text.

use std::collections::BTreeMap;
use std::fmt;

use super::wanted::Sysctl;

/// A sysctl that this program changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    /// The value before the first change.
    pub(crate) before: i32,
    /// The value that this program set.
    pub(crate) set: i32,
}

/// What this program changed, in this run or an earlier one.
///
/// The text has a line for each: `net.ipv4.ip_forward 0 1`, with the value before and the one that was set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved(BTreeMap<Sysctl, Changed>);

/// A line that this program does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: is not `NAME VALUE-BEFORE VALUE-SET` of a sysctl that this program changes")]
pub(crate) struct InvalidLine {
    line: usize,
}

/// What is to be done with a sysctl at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Return {
    /// It has the value from before.
    Nothing,
    /// Write the value from before.
    PutBack,
    /// Another program changed it since.
    LeaveAlone,
}

impl Changed {
    /// Decides what is to be done with a sysctl that has this value now.
    pub(crate) const fn at_end(self, now: i32) -> Return {
        if now == self.before {
            Return::Nothing
        } else if now == self.set {
            Return::PutBack
        } else {
            Return::LeaveAlone
        }
    }
}

impl Saved {
    /// Notes a change. If an earlier run changed the sysctl and nobody has since, the value from before that
    /// run stays.
    pub(crate) fn note(&mut self, sysctl: Sysctl, changed: Changed) {
        match self.0.get_mut(&sysctl) {
            Some(earlier) if earlier.set == changed.before => earlier.set = changed.set,
            _ => {
                self.0.insert(sysctl, changed);
            }
        }
    }

    /// Returns the sysctls in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Sysctl, Changed)> {
        self.0.iter().map(|(sysctl, changed)| (*sysctl, *changed))
    }

    /// Reads the text.
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidLine> {
        let mut saved = Self::default();
        for (index, line) in text.lines().enumerate() {
            let (sysctl, changed) = parse_line(line).ok_or(InvalidLine { line: index + 1 })?;
            saved.0.insert(sysctl, changed);
        }
        Ok(saved)
    }
}

fn parse_line(line: &str) -> Option<(Sysctl, Changed)> {
    let mut words = line.split(' ');
    let sysctl = Sysctl::named(words.next()?)?;
    let before = words.next()?.parse().ok()?;
    let set = words.next()?.parse().ok()?;
    words.next().is_none().then_some((sysctl, Changed { before, set }))
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(sysctl, Changed { before, set })| {
            writeln!(f, "{sysctl} {before} {set}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forward() -> Sysctl {
        Sysctl::named("net.ipv4.ip_forward").unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let mut saved = Saved::default();
        saved.note(forward(), Changed { before: 0, set: 1 });
        saved.note(Sysctl::ALL[0], Changed { before: -1, set: 1 });
        let text = saved.to_string();
        assert_eq!(text, "net.ipv4.vs.conntrack -1 1\nnet.ipv4.ip_forward 0 1\n");
        assert_eq!(Saved::parse(&text), Ok(saved));
        assert_eq!(Saved::parse(""), Ok(Saved::default()));
    }

    #[test]
    fn other_text_is_refused_with_its_line() {
        for odd in [
            "kernel.modprobe 0 1",
            "net.ipv4.ip_forward",
            "net.ipv4.ip_forward 0",
            "net.ipv4.ip_forward 0 1 2",
            "net.ipv4.ip_forward  0 1",
            "net.ipv4.ip_forward zero 1",
            "net.ipv4.ip_forward 0 99999999999",
            "../../etc/passwd 0 1",
            "",
        ] {
            let text = format!("net.ipv4.ip_forward 0 1\n{odd}\n");
            assert_eq!(Saved::parse(&text), Err(InvalidLine { line: 2 }), "{odd}");
        }
    }

    #[test]
    fn the_value_from_before_the_first_run_stays() {
        let mut saved = Saved::default();
        saved.note(forward(), Changed { before: 0, set: 1 });
        saved.note(forward(), Changed { before: 1, set: 2 });
        assert_eq!(saved.to_string(), "net.ipv4.ip_forward 0 2\n");
        // Somebody else set 7 in between.
        saved.note(forward(), Changed { before: 7, set: 1 });
        assert_eq!(saved.to_string(), "net.ipv4.ip_forward 7 1\n");
    }

    #[test]
    fn only_what_nobody_changed_since_is_put_back() {
        let changed = Changed { before: 0, set: 2 };
        assert_eq!(changed.at_end(2), Return::PutBack);
        assert_eq!(changed.at_end(0), Return::Nothing);
        assert_eq!(changed.at_end(1), Return::LeaveAlone);
    }
}
