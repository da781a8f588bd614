//! The command `ipvsadm` 1.31, for scripts that were written for the original: the same
//! commands, options, lists and exit codes.
//!
//! `cargo run --example ipvsadm -- -L -n` runs the command on a kernel with IPVS.
//!
//! # Differences from the original
//!
//! Texts:
//!
//! - The texts of `-h` and of errors, and the end of the line of `--version`, are different.
//!
//! `-R`:
//!
//! - `-R` reads all of its input first. If a line is wrong, or asks for something that every
//!   kernel refuses, `-R` changes nothing and ends with exit code 2.
//! - `-R` then sends all commands to the kernel, which goes on after a command that it refuses.
//!   `-R` reports the line of each refused command and ends with 255. (The original runs one line
//!   after the other, ends at some errors and forgets others.)
//! - Lines with `-L`, `-S` and `--version` print in their turn. `-h`, at which the original ends,
//!   and `-R` are refused, and so are more than 250000 lines. Lines may have quotes and comments.
//! - `-R` accepts what the kernel accepts, because `-S` may have written it: persistence of 0 s or
//!   of more than 31 days, port 0 without persistence, one-packet scheduling of TCP, thresholds
//!   over 2147483647. On a command line these are refused, as by the original.
//!
//! `-S`:
//!
//! - `-S` also saves thresholds of destinations, names in full length, and flags that the
//!   scheduler has no name for. `-S` writes a name only if the name maps back to the same number.
//! - `-S` reports each object that `-R` would not restore on standard error. The exit code is 1
//!   then. `-S` leaves out an object that no command can express, such as direct routing to
//!   another port than the service's.
//!
//! Lists:
//!
//! - Lists and saved tables have all entries that were there all the time: a table that the kernel
//!   sends in pieces is read until two readings agree. If others change the table too often for
//!   that, the last reading is printed, standard error says that entries may be missing, and the
//!   exit code is 6.
//! - A firewall mark over 2147483647 is printed as that number, not as a negative one. Protocols,
//!   forwarding methods and flags that the original does not know have a name.
//! - Counters of destinations have 64 bits, like those of services.
//! - A persistence engine without persistence, which is without effect, is not printed.
//! - The data of persistence engines is printed in full length, but only its ASCII characters.
//!
//! Refused:
//!
//! - Numbers with signs or blanks, addresses with fewer than four numbers, in octal or in
//!   hexadecimal, IPv4 masks that are one number, names that the original would cut, and
//!   `--syncid` for lists are refused.
//! - An impossible name of a scheduler, engine or interface (`-s ../x`, an empty interface) ends
//!   with exit code 2. The original asks the kernel and ends with 255.
//!
//! Accepted:
//!
//! - Options may have any order: `-6` before `-f`, `-r` before `-t`.
//! - `[2001:db8::1]` needs no port where `2001:db8::1` and `10.0.0.1` need none.
//! - A name of a host in brackets stands for an IPv6 address.
//! - A negative mark and, for `-R`, a `-b` at the end of a line are read: the original saves them.
//! - A weight may be up to 2147483647, as with Debian's 1.31. The original's limit is 65535.
//! - `-h` and `--version` need no kernel with IPVS, and `-L -c` needs no privilege.

mod changes;
mod command_line;
mod connections;
mod failure;
mod help;
mod list;
mod names;
mod order;
mod reading;
mod restore;
mod save;
mod table;

use std::env;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use command_line::CommandLine;
use failure::Failure;
use ipvs_netlink::{Client, SystemNames};
use list::List;
use restore::Script;

fn main() -> ExitCode {
    let words: Result<Vec<_>, _> = env::args_os().skip(1).map(|word| word.into_string()).collect();
    let result = match words {
        Ok(words) => run(&words),
        Err(word) => Err(Failure::syntax(format!("{word:?}: not UTF-8"))),
    };
    let Err(failure) = result else { return ExitCode::SUCCESS };
    for line in failure.message.lines() {
        // If standard error is closed, nobody can read about that.
        writeln!(io::stderr(), "ipvsadm: {line}").ok();
    }
    failure.exit_code()
}

/// Runs a command line, and prints the output before a failure, too.
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
    let CommandLine { command, rest, argument } = CommandLine::parse(words)?;
    let no_argument = || match &argument {
        Some(word) => Err(Failure::usage(format!("unexpected argument {word:?}"))),
        None => Ok(()),
    };
    match command.name() {
        "help" => help::print(out)?,
        "version" => write!(out, "{}", help::VERSION)?,
        "list" => {
            let list = List::parse(command, rest)?;
            no_argument()?;
            list.print(&mut connect()?, out)?;
        }
        "save" => {
            let numeric = save::parse(command, rest)?;
            no_argument()?;
            save::print(&mut connect()?, numeric, out)?;
        }
        "restore" => {
            restore::parse(rest)?;
            no_argument()?;
            Script::read(io::stdin().lock())?.execute(&mut connect()?, out)?;
        }
        _ => {
            let change = changes::parse(words, &SystemNames::new())?;
            connect()?.apply_change(&change).map_err(|error| changes::refusal(&error))?;
        }
    }
    Ok(())
}

fn connect() -> Result<Client, Failure> {
    Client::connect().map_err(|error| Failure::usage(error.to_string()))
}
