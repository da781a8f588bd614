//! `director check`: tells everything that is wrong with a configuration.

use std::fmt;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::configuration::{Configuration, Format, load};
use crate::exit::Exit;

/// The arguments of `director check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArguments {
    /// The configuration.
    pub file: PathBuf,
    /// The format of the configuration, that of the file's extension by default.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub format: Option<Format>,
}

/// Writes what is wrong to standard error and a summary to standard output.
#[must_use]
pub fn run(arguments: &CheckArguments) -> Exit {
    let (told, exit) = match load(&arguments.file, arguments.format) {
        Ok(loaded) => {
            let warnings = loaded.warnings.with_kind("warning: ");
            let warned = match loaded.warnings.len() {
                0 => Ok(()),
                _ => writeln!(io::stderr(), "{warnings}"),
            };
            let file = arguments.file.display();
            let count = loaded.warnings.len();
            let summary = Summary(&loaded.configuration);
            let told = warned.and_then(|()| match count {
                0 => writeln!(io::stdout(), "{file}: valid: {summary}"),
                1 => writeln!(io::stdout(), "{file}: valid, with 1 warning: {summary}"),
                _ => writeln!(io::stdout(), "{file}: valid, with {count} warnings: {summary}"),
            });
            (told, Exit::Done)
        }
        Err(error) => (writeln!(io::stderr(), "{error}"), error.exit()),
    };
    match told {
        Ok(()) => exit,
        // Nobody reads the answer.
        Err(_) => Exit::Failed,
    }
}

/// What a configuration has, in a line.
struct Summary<'c>(&'c Configuration);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services = self.0.services.values();
        let (mut destinations, mut checked, mut checks) = (0, 0, 0);
        for service in services {
            for destination in service.table.destinations() {
                let own = service.checks_of.get(&destination.id());
                let count = own.unwrap_or(&service.checks).checks.len();
                destinations += 1;
                checked += usize::from(count > 0);
                checks += count;
            }
        }
        let total = destinations;
        let services = Count(self.0.services.len(), "service");
        let (destinations, checks) = (Count(destinations, "destination"), Count(checks, "check"));
        write!(f, "{services}, {destinations}, {checks}")?;
        match total - checked {
            0 => Ok(()),
            1 => f.write_str("; 1 destination is not checked"),
            unchecked => write!(f, "; {unchecked} destinations are not checked"),
        }
    }
}

struct Count(usize, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}
