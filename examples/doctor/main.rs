//! Finds what bites people on this host: `doctor`.
//!
//! ```text
//! doctor            # looks at the table, the settings and the network of this host
//! doctor --list     # the checks
//! doctor --json     # for programs
//! ```
//!
//! Each finding has its reason, what was seen, what to do, and where the rule comes from. The worst
//! finding is the exit code. The program changes nothing: it loads no module and writes no setting.

mod arguments;
mod checks;
mod finding;
mod gather;
mod host;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::arguments::Arguments;
use crate::finding::{Finding, Severity};

/// Not everything could be looked at.
const BLIND: u8 = 4;
/// The arguments are wrong.
const MISUSED: u8 = 5;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // There is no other place to report that a stream is closed.
            error.print().ok();
            return ExitCode::from(if error.use_stderr() { MISUSED } else { 0 });
        }
    };
    let (text, code) = if arguments.list {
        (report::list(), 0)
    } else {
        match gather::host(arguments.netns.as_deref()) {
            Ok(host) => {
                let findings = arguments.checks().flat_map(|check| check.run(&host));
                let mut findings: Vec<Finding> = findings.collect();
                // The order of the checks is kept among findings of the same severity.
                findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
                let text = match arguments.json {
                    true => report::json(&host, &findings),
                    false => report::text(&host, &findings, arguments.all),
                };
                let worst = findings.iter().map(|finding| finding.severity).max();
                (text, if host.unread.is_empty() { worst.map_or(0, code) } else { BLIND })
            }
            Err(failure) => {
                writeln!(io::stderr(), "doctor: {}", report::visible(&failure)).ok();
                return ExitCode::from(BLIND);
            }
        }
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            writeln!(io::stderr(), "doctor: standard output: {error}").ok();
            ExitCode::from(BLIND)
        }
        _ => ExitCode::from(code),
    }
}

const fn code(severity: Severity) -> u8 {
    severity as u8
}
