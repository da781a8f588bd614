//! The output of `-h` and `--version`.

use std::io::{self, Write};

use ipvs_netlink::{Command, CommandOption, OptionGroup};

/// Begins like the original's version, for scripts that look for the number.
pub(crate) const VERSION: &str =
    concat!("ipvsadm v1.31 (as spoken by ipvs-netlink ", env!("CARGO_PKG_VERSION"), ")\n");

/// The headings of the help, in their order.
const GROUPS: [(OptionGroup, &str); 7] = [
    (OptionGroup::Command, "Commands"),
    (OptionGroup::Service, "SERVICE is one of"),
    (OptionGroup::ServiceSettings, "SETTINGS of a service"),
    (OptionGroup::Destination, "SERVER"),
    (OptionGroup::DestinationSettings, "SETTINGS of a destination"),
    (OptionGroup::Daemon, "SETTINGS of a daemon"),
    (OptionGroup::List, "OPTIONS of a list"),
];

/// The column where the texts of options begin.
const COLUMN: usize = 34;

pub(crate) fn print(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{VERSION}Usage: ipvsadm COMMAND [OPTION]...")?;
    for (group, heading) in GROUPS {
        writeln!(out, "\n{heading}:")?;
        for option in Command::options().iter().filter(|option| option.group() == group) {
            let names = names(option);
            if names.len() + 2 > COLUMN {
                writeln!(out, "{names}\n{:COLUMN$}{}", "", option.help())?;
            } else {
                writeln!(out, "{names:COLUMN$}{}", option.help())?;
            }
        }
    }
    Ok(())
}

/// All names of an option and what follows them: `  -t, --tcp-service HOST:PORT`.
fn names(option: &CommandOption) -> String {
    let letters: String = option.letters().chars().map(|letter| format!("-{letter}, ")).collect();
    format!("  {letters:4}--{} {}", option.name(), option.operand()).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_one_entry_that_fits_a_terminal() {
        let mut help = Vec::new();
        print(&mut help).unwrap();
        let help = String::from_utf8(help).unwrap();
        assert!(help.lines().all(|line| line.len() <= 80), "{help}");
        for option in Command::options() {
            let entries = help.lines().filter(|line| line.starts_with(&names(option)));
            assert_eq!(entries.count(), 1, "{option:?}\n{help}");
        }
        assert!(
            help.contains("\n  -w, --weight NUMBER             weight (default: 1)\n"),
            "{help}"
        );
    }
}
