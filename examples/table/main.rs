//! Makes the kernel's IPVS table as a file says: `table plan`, `apply`, `export`, `drain`,
//! `validate`.
//!
//! ```text
//! table export > web.yaml      # prints the kernel's table
//! table plan web.yaml          # shows what would change
//! table apply web.yaml         # asks, then changes the table without breaking connections
//! ```
//!
//! The extension of a file says whether it is YAML, TOML, JSON or ipvsadm text. See `table --help`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for the command line says what it does"
)]

mod apply;
mod arguments;
mod drain;
mod exit;
mod fault;
mod file;
mod interrupt;
mod json;
mod keeper;
mod kernel;
mod lock;
mod memory;
mod regular_file;
mod round;
mod screen;
mod settings;
mod text;
mod values;
mod watch;
mod yaml_keys;

use std::process::ExitCode;

use clap::Parser;
use ipvs_netlink::table::{Plan, Table};

use crate::arguments::{Arguments, Command, Export, RESTLESS, Show, Validate};
use crate::exit::{Failure, Status};
use crate::memory::Memory;
use crate::screen::Screen;
use crate::values::Format;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let detailed = arguments.detailed();
    let screen = Screen::new(arguments.color);
    let outcome = match arguments.command {
        Command::Plan(show) => plan(&show, &screen),
        Command::Apply(apply) if apply.watch => watch::run(&apply, &screen),
        Command::Apply(apply) => apply::run(&apply, &screen),
        Command::Export(export) => self::export(&export, &screen),
        Command::Drain(drain) => drain::run(&drain, &screen),
        Command::Validate(validate) => self::validate(&validate, &screen),
    };
    outcome.unwrap_or_else(|failure| screen.failure(&failure)).code(detailed)
}

/// Shows what would change.
fn plan(show: &Show, screen: &Screen) -> Result<Status, Failure> {
    let planning = &show.planning;
    let desired = file::read(&planning.file)?;
    screen.doubts(&desired).strictly(planning.strict)?;
    let mut ipvs = planning.kernel.connect()?;
    let (plan, status, _) = planning.plan(&mut ipvs, &desired, &Memory::default(), screen)?;
    if planning.json {
        screen.write(|out| json::plan(&plan, out))?;
    } else if show.commands {
        screen.print(&commands(&plan)?)?;
    } else {
        screen.diff(&plan)?;
    }
    Ok(status)
}

/// Returns the commands of a plan, or an error if `ipvsadm` would refuse one or do it differently.
/// A script would continue after a refused command, and delete what that was to replace.
fn commands(plan: &Plan) -> Result<String, Failure> {
    const SHOWN: usize = 5;
    let told = plan.unsaid().map(|(step, unsaid)| match step.change.object() {
        Some(object) => format!("{object}: {unsaid}"),
        None => unsaid.to_string(),
    });
    let mut told: Vec<String> = told.collect();
    if told.is_empty() {
        return Ok(plan.commands().to_string());
    }
    let more = told.len().saturating_sub(SHOWN);
    told.truncate(SHOWN);
    let more = if more == 0 { String::new() } else { format!("; and {more} more") };
    let told = told.join("; ");
    Err(Failure::invalid(format!("ipvsadm cannot do this plan, use `table apply`: {told}{more}")))
}

/// Prints the kernel's table.
fn export(export: &Export, screen: &Screen) -> Result<Status, Failure> {
    let snapshot = export.kernel.connect()?.snapshot().map_err(Failure::kernel)?;
    let table = Table::from(&snapshot);
    let text = file::write(&table, export.format)?;
    screen.print(&text)?;
    // The kernel has these entries, and would refuse to add them to an empty table.
    let kept = table.validate();
    for entry in &kept {
        screen.note(&format!("{entry}; a kernel keeps it and does not add it anew"));
    }
    if !snapshot.is_complete() {
        screen.note(RESTLESS);
        return Ok(Status::Inconsistent);
    }
    Ok(if kept.is_empty() { Status::NoChange } else { Status::Doubtful })
}

/// Checks a file, without a kernel.
fn validate(validate: &Validate, screen: &Screen) -> Result<Status, Failure> {
    let desired = file::read(&validate.file)?;
    let invalid: Vec<String> = desired.validate().iter().map(ToString::to_string).collect();
    // The other formats mark such entries with `unchecked`; ipvsadm text cannot.
    if !invalid.is_empty() && file::format(&validate.file) == Some(Format::Ipvsadm) {
        return Err(Failure::invalid(invalid.join("\n")));
    }
    for rule in &invalid {
        screen.note(&format!("{rule}; a kernel keeps it and does not add it anew"));
    }
    let mut doubts = screen.doubts(&desired);
    doubts.some |= !invalid.is_empty();
    doubts.strictly(validate.strict)?;
    let destinations = desired.services().map(|service| service.destinations().len()).sum();
    let (services, destinations) =
        (count(desired.len(), "service"), count(destinations, "destination"));
    screen.print(&format!("{services}, {destinations}\n"))?;
    Ok(if doubts.unknown { Status::Doubtful } else { Status::NoChange })
}

/// `1 service`, `2 services`.
fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
