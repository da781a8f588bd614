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
//!
//! `--json` prints one object. Later versions may add keys; these stay as they are:
//!
//! ```json
//! {
//!   "severity": "error",
//!   "findings": [
//!     {
//!       "check": "weight-0",
//!       "severity": "error",
//!       "title": "weight 0 refuses clients under this scheduler",
//!       "reason": "dh, sh and mh choose by a hash and ...",
//!       "evidence": ["TCP 192.0.2.10:80 -> 10.0.0.3:8080 has weight 0 under sh"],
//!       "fix": "Delete the destination instead ...",
//!       "source": "net/netfilter/ipvs/ip_vs_sh.c, ip_vs_sh_get; ..."
//!     }
//!   ],
//!   "unread": []
//! }
//! ```
//!
//! `severity` is `note`, `warning` or `error`; that of the object is the worst one, or `null` without
//! findings. `unread` has a line for each thing that the checks need and that could not be read.

mod arguments;
mod checks;
mod finding;
mod gather;
mod host;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use crate::arguments::Arguments;
use crate::finding::{Finding, Severity};

/// Not everything could be looked at, so an error may be there that was not found.
const BLIND: u8 = 4;
/// The arguments are wrong.
const MISUSED: u8 = 5;

fn main() -> ExitCode {
    let arguments = match Arguments::read() {
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
                let unread = host
                    .unread
                    .iter()
                    .filter(|gap| arguments.checks().any(|check| check.needs.contains(&gap.part)));
                let unread: Vec<&str> = unread.map(|gap| gap.text.as_str()).collect();
                let text = match arguments.json {
                    true => report::json(&unread, &findings),
                    false => report::text(&unread, &findings, arguments.all),
                };
                let worst = findings.iter().map(|finding| finding.severity).max();
                (text, code(worst, unread.is_empty()))
            }
            Err(failure) => {
                writeln!(io::stderr(), "doctor: {}", report::visible(&failure)).ok();
                let unread = [failure.as_str()];
                (if arguments.json { report::json(&unread, &[]) } else { String::new() }, BLIND)
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

/// The exit code: nothing that is hidden can be worse than an error.
const fn code(worst: Option<Severity>, complete: bool) -> u8 {
    match worst {
        Some(Severity::Error) => Severity::Error as u8,
        _ if !complete => BLIND,
        Some(severity) => severity as u8,
        None => 0,
    }
}
