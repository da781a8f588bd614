//! The command `ipvsadm` 1.31, for scripts that were written for the original: the same
//! commands, options, lists and exit codes.
//!
//! `cargo run --example ipvsadm -- -L -n` runs it on a kernel with IPVS.
//!
//! What is different:
//!
//! - The texts of `-h` and of errors, and the end of the line of `--version`.
//! - `-R` reads all of its input before it does anything: where a line is wrong, or asks for
//!   what no kernel takes, nothing is done and the exit code is 2. Then everything goes to the
//!   kernel at once, which goes on after what it refuses; each of those lines is told and the
//!   exit code is 255. (The original executes line by line, ends at some errors and forgets
//!   others.) Lines with `-L`, `-S` and `--version` print in their turn; `-h` (at which the
//!   original ends) and `-R` are refused, and so are more than 250000 lines. There may be
//!   quotes and comments.
//! - `-R` takes what the kernel takes, for `-S` may have written it: persistence of 0 s or of
//!   more than 31 days, port 0 without persistence, one-packet scheduling of TCP, thresholds
//!   over 2147483647. As commands of their own these are refused, as by the original.
//! - `-S` keeps the thresholds of destinations, names in full, and flags that the scheduler
//!   has no name for. It writes a name only if that stands for this number, else the number.
//!   What `-R` would not restore is told on standard error (exit code 1): what no command can
//!   say is left out, such as direct routing or a tunnel to a port that is not the service's.
//! - Lists and saved tables lack nothing that was there all the time: what the kernel tells in
//!   pieces is read until two readings agree. Where others write too often for that, what was
//!   read is printed, standard error says that something may be missing, and the exit code is 6.
//! - Firewall marks over 2147483647 are printed as such, not as negative numbers;
//!   protocols, forwarding methods and flags that the original does not know have a name.
//! - Counters of destinations have 64 bits, as those of services.
//! - A persistence engine without persistence, which is without effect, is not printed.
//! - What engines remember of a connection is printed whole, but only what is ASCII of it.
//! - Refused: numbers with signs or blanks, addresses of fewer than four numbers, in octal
//!   or in hexadecimal, IPv4 masks that are one number, names that the original would cut,
//!   `--syncid` for lists.
//! - Names of schedulers, engines and interfaces that can be none (`-s ../x`, an empty
//!   interface) end with exit code 2; the original asks the kernel and ends with 255.
//! - Accepted: options in any order (`-6` before `-f`, `-r` before `-t`), `[2001:db8::1]`
//!   without a port where a port is not needed, for services and servers (the original takes
//!   `2001:db8::1` and `10.0.0.1` so, and the brackets leave no doubt), names of hosts with
//!   IPv6 addresses in brackets, negative marks and, for `-R`, a `-b` at the end of a line (as the original
//!   saves them). Weights go up to 2147483647, as with Debian's 1.31; that of the original's
//!   authors ends at 65535.
//! - `-h` and `--version` need no kernel with IPVS, and `-L -c` no privilege.

mod connections;
mod edit;
mod failure;
mod help;
mod list;
mod names;
mod order;
mod reading;
mod restore;
mod save;
mod table;
mod words;

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use failure::Failure;
use ipvs_netlink::{Client, SystemNames};
use list::List;
use restore::Script;
use words::{Line, Meaning};

fn main() -> ExitCode {
    let words: Result<Vec<_>, _> = env::args_os().skip(1).map(|word| word.into_string()).collect();
    let result = match words {
        Ok(words) => run(&words),
        Err(word) => Err(Failure::syntax(format!("{word:?}: not UTF-8"))),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    for line in failure.message.lines() {
        // If this fails nobody is left to be told.
        writeln!(io::stderr(), "ipvsadm: {line}").ok();
    }
    failure.exit_code()
}

/// What is printed before a failure is worth printing.
fn run(words: &[String]) -> Result<(), Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    let done = execute(words, &mut out);
    let written = out.flush().map_err(Failure::from);
    done.and(written)
}

fn execute(words: &[String], out: &mut impl Write) -> Result<(), Failure> {
    if words.is_empty() {
        return List::PLAIN.print(&mut connect()?, out);
    }
    let Line { command, rest, argument } = Line::of(words)?;
    let no_argument = || match &argument {
        Some(word) => Err(Failure::usage(format!("unexpected argument {word:?}"))),
        None => Ok(()),
    };
    match command {
        Meaning::Help => write!(out, "{}{}", help::VERSION, help::HELP)?,
        Meaning::Version => write!(out, "{}", help::VERSION)?,
        Meaning::List => {
            let list = List::parse(rest)?;
            no_argument()?;
            list.print(&mut connect()?, out)?;
        }
        Meaning::Save => {
            let numeric = save::parse(rest)?;
            no_argument()?;
            save::print(&mut connect()?, numeric, out)?;
        }
        Meaning::Restore => {
            restore::parse(rest)?;
            no_argument()?;
            Script::read(io::stdin().lock())?.execute(&mut connect()?, out)?;
        }
        _ => {
            let change = edit::parse(words, &SystemNames::new())?;
            connect()?.apply_change(&change).map_err(|error| edit::refusal(&error))?;
        }
    }
    Ok(())
}

fn connect() -> Result<Client, Failure> {
    Client::connect().map_err(|error| Failure::usage(error.to_string()))
}
