//! The command line.

use std::path::PathBuf;

use clap::{CommandFactory as _, Parser};

use super::checks::CHECKS;
use super::finding::Check;

/// Look for what bites people on this host. Changes nothing
#[derive(Debug, Parser)]
#[command(
    name = "doctor",
    version,
    after_help = "\
Exit codes:
   0  nothing was found
   1  notes
   2  warnings
   3  errors
   4  not everything could be looked at, and no error was found; what was found is printed
   5  the arguments are wrong"
)]
pub(crate) struct Arguments {
    /// Network namespace: its name, or the path of its file
    #[arg(long, value_name = "NAME|PATH")]
    pub(crate) netns: Option<PathBuf>,
    /// Print JSON: severity, findings and what was not looked at
    #[arg(long)]
    pub(crate) json: bool,
    /// List the checks
    #[arg(long, exclusive = true)]
    pub(crate) list: bool,
    /// Run only these checks
    #[arg(long, value_name = "CHECK,...", value_delimiter = ',', value_parser = check)]
    only: Vec<Check>,
    /// Run all checks but these
    #[arg(long, value_name = "CHECK,...", value_delimiter = ',', value_parser = check)]
    skip: Vec<Check>,
    /// Print all evidence, not only the first lines
    #[arg(long)]
    pub(crate) all: bool,
}

impl Arguments {
    /// Reads the command line.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let arguments = Self::try_parse()?;
        if arguments.checks().next().is_none() {
            let kind = clap::error::ErrorKind::ArgumentConflict;
            return Err(Self::command().error(kind, "--only and --skip leave no check to run"));
        }
        Ok(arguments)
    }

    /// Returns the checks to run.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &'static Check> {
        let names = |checks: &[Check], name| checks.iter().any(|check| check.name == name);
        CHECKS.iter().filter(move |check| {
            (self.only.is_empty() || names(&self.only, check.name))
                && !names(&self.skip, check.name)
        })
    }
}

fn check(name: &str) -> Result<Check, String> {
    let found = CHECKS.iter().find(|check| check.name == name).copied();
    found.ok_or_else(|| "no such check; --list shows them".to_owned())
}
