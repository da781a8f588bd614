//! Keeps the IPVS table as a file says: `table plan`, `apply`, `export`, `drain`,
//! `validate`.
//!
//! ```text
//! table export > web.yaml      # the table that is there
//! table plan web.yaml          # what would change
//! table apply web.yaml         # asks, then changes it without losing traffic
//! ```
//!
//! Files are YAML, TOML, JSON or ipvsadm text, by their extension. See `table --help`.
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
mod kernel;
mod lock;
mod screen;
mod text;
mod values;
mod watch;

use std::process::ExitCode;

use clap::Parser;
use ipvs_netlink::table::{Plan, Table};

use crate::arguments::{Arguments, Command, Export, RESTLESS, Show, Validate};
use crate::exit::{Failure, Status};
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
    let (plan, status, _) = planning.plan(&mut ipvs, &desired, &Table::new(), screen)?;
    if planning.json {
        screen.write(|out| json::plan(&plan, out))?;
    } else if show.commands {
        screen.print(&commands(&plan)?)?;
    } else {
        screen.diff(&plan)?;
    }
    Ok(status)
}

/// The commands of a plan, if `ipvsadm` does the same with all of them. A script of which it
/// refused some would go on and delete what they were to replace.
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
    Err(Failure::invalid(format!("no commands, for only `table apply` does it: {told}{more}")))
}

/// Writes the table that is there.
fn export(export: &Export, screen: &Screen) -> Result<Status, Failure> {
    let snapshot = export.kernel.connect()?.snapshot().map_err(Failure::kernel)?;
    let table = Table::from(&snapshot);
    let text = file::write(&table, export.format)?;
    screen.print(&text)?;
    // This kernel has it, but nothing that reads the file may add it to an empty table.
    let kept = table.validate();
    for entry in &kept {
        screen.note(&format!("{entry}; restored only where it is so already"));
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
    // Other formats have a word for what only a kernel that has it may keep.
    if !invalid.is_empty() && file::format(&validate.file) == Some(Format::Ipvsadm) {
        return Err(Failure::invalid(invalid.join("\n")));
    }
    for rule in &invalid {
        screen.note(&format!("{rule}; only where it is so already"));
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
