//! Prints each exchange with the kernel, as `strace` prints system calls.
//!
//! Without arguments it reads the whole table. With the words of a command of `ipvsadm` it does the
//! command; with `-R` it does the commands on standard input, many in one system call.
//!
//! Needs `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives
//! a shell on one.

use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use ipvs_netlink::{Change, Client, Command, NumericNames, Report};

const HELP: &str = "\
Prints each exchange with the kernel, as strace prints system calls.

usage: trace [COMMAND]

COMMAND  the words of a command of ipvsadm, such as -A -t 192.0.2.10:80 -s rr;
         or -R for the commands on standard input. Without one the whole table is read.

Exit codes: 0 success, 1 failure, 2 wrong arguments or commands
";

/// More than any table's text; what comes after it is refused.
const MOST_BYTES: u64 = 64 << 20;

/// What to do while exchanges are printed.
enum Work {
    ReadTable,
    Change(Vec<Change>),
}

/// An error with the exit code of the program.
struct Failure {
    code: u8,
    error: Box<dyn Error>,
}

fn failed(error: impl Into<Box<dyn Error>>) -> Failure {
    Failure { code: 1, error: error.into() }
}

fn misused(error: impl Into<Box<dyn Error>>) -> Failure {
    Failure { code: 2, error: error.into() }
}

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["-h" | "--help"] = words.as_slice() {
        // Ignore a closed standard output: nobody reads it.
        write!(io::stdout(), "{HELP}").ok();
        return ExitCode::SUCCESS;
    }
    match work(&words).and_then(|work| trace(&work).map_err(failed)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, error }) => {
            writeln!(io::stderr(), "trace: {error}").ok();
            ExitCode::from(code)
        }
    }
}

fn work(words: &[&str]) -> Result<Work, Failure> {
    Ok(match words {
        [] => Work::ReadTable,
        ["-R"] => Work::Change(from_standard_input()?),
        words => {
            let command = Command::parse(words, &NumericNames).map_err(|error| {
                misused(format!("{error}; without a command, trace reads the whole table"))
            })?;
            Work::Change(vec![command.change])
        }
    })
}

fn from_standard_input() -> Result<Vec<Change>, Failure> {
    let mut text = Vec::new();
    let read = io::stdin().take(MOST_BYTES + 1).read_to_end(&mut text).map_err(failed)?;
    if u64::try_from(read).map_err(failed)? > MOST_BYTES {
        return Err(misused(format!("standard input has more than {MOST_BYTES} bytes")));
    }
    Command::parse_lines(&text, &NumericNames)
        .map(|line| Ok(line.map_err(misused)?.1.change))
        .collect()
}

fn trace(work: &Work) -> Result<(), Box<dyn Error>> {
    let mut ipvs = Client::connect()?;
    let unprinted = Arc::new(OnceLock::new());
    let first = Arc::clone(&unprinted);
    ipvs.observe(move |exchange| match writeln!(io::stdout(), "{exchange}") {
        // A reader that leaves, as `head` does, ends the lines and not the work.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(first.set(error)),
        _ => {}
    });
    match work {
        Work::ReadTable => drop(ipvs.snapshot()?),
        Work::Change(changes) => done(&ipvs.submit(changes))?,
    }
    match unprinted.get() {
        Some(error) => Err(format!("the work is done; standard output: {error}").into()),
        None => Ok(()),
    }
}

fn done(report: &Report) -> Result<(), Box<dyn Error>> {
    let failed = report.failures().find_map(|failed| failed.outcome.error());
    failed.map_or(Ok(()), |error| Err(error.clone().into()))
}
