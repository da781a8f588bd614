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

use ipvs_netlink::{Change, Client, Command, NumericNames, Report};

const HELP: &str = "\
Prints each exchange with the kernel, as strace prints system calls.

usage: trace [COMMAND]

COMMAND  the words of a command of ipvsadm, such as -A -t 192.0.2.10:80 -s rr;
         or -R for the commands on standard input. Without one the whole table is read.

Exit codes: 0 success, 1 failure, 2 wrong arguments
";

/// More than any table's text; what comes after it is refused.
const MOST_BYTES: u64 = 64 << 20;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let changes = match words.as_slice() {
        ["-h" | "--help"] => {
            // Ignore a closed standard output: nobody reads it.
            write!(io::stdout(), "{HELP}").ok();
            return ExitCode::SUCCESS;
        }
        [] => Ok(Vec::new()),
        ["-R"] => from_standard_input(),
        words => Command::parse(words, &NumericNames)
            .map(|command| vec![command.change])
            .map_err(Into::into),
    };
    let changes = match changes {
        Ok(changes) => changes,
        Err(error) => {
            writeln!(io::stderr(), "trace: {error}").ok();
            return ExitCode::from(2);
        }
    };
    match trace(&changes) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "trace: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn from_standard_input() -> Result<Vec<Change>, Box<dyn Error>> {
    let mut text = Vec::new();
    let read = io::stdin().take(MOST_BYTES + 1).read_to_end(&mut text)?;
    if u64::try_from(read)? > MOST_BYTES {
        return Err(format!("standard input has more than {MOST_BYTES} bytes").into());
    }
    Command::parse_lines(&text, &NumericNames)
        .map(|line| Ok(line.map(|(_, command)| command.change)?))
        .collect()
}

fn trace(changes: &[Change]) -> Result<(), Box<dyn Error>> {
    let mut ipvs = Client::connect()?;
    ipvs.observe(|exchange| {
        // A reader that leaves, as `head` does, ends the lines and not the work.
        writeln!(io::stdout(), "{exchange}").ok();
    });
    match changes {
        [] => drop(ipvs.snapshot()?),
        changes => done(&ipvs.submit(changes))?,
    }
    Ok(())
}

fn done(report: &Report) -> Result<(), Box<dyn Error>> {
    let failed = report.failures().find_map(|failed| failed.outcome.error());
    failed.map_or(Ok(()), |error| Err(error.clone().into()))
}
