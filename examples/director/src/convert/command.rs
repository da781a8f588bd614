//! `director convert`.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use clap::Args;

use crate::configuration::to_yaml;
use crate::convert::{Conversion, convert};
use crate::exit::Exit;

/// The arguments of `director convert`.
#[derive(Args, Clone, Debug)]
#[command(after_help = AFTER_HELP)]
pub struct ConvertArguments {
    /// The configuration of keepalived.
    pub file: PathBuf,
    /// Where the converted file goes, instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// The id of keepalived's option of this name, which chooses among lines that begin with `@`.
    /// Without it these lines are left out.
    #[arg(short = 'i', long, value_name = "ID")]
    pub config_id: Option<String>,
}

const AFTER_HELP: &str = "\
Standard error tells of each keyword that the converted file does not say:
  left out    the converted file does not say it
  changed     the converted file says something else that comes near
  not needed  it has no effect, or the director does so anyway

Only files below the folder of FILE are included. Nothing of them is executed,
and neither the kernel nor the network is touched. Try the converted file with
`director check`.

Exit codes:
  0  the converted file says all
  1  the converted file cannot be written
  3  FILE cannot be read, or its braces or quotes do not match; nothing was written
  9  converted, and something was left out or changed";

/// Converts a file. Messages go to standard error.
#[must_use]
pub fn run(arguments: &ConvertArguments) -> Exit {
    let mut errors = io::stderr().lock();
    // Nothing can be told of a standard error that is closed.
    let mut tell = |line: std::fmt::Arguments<'_>| drop(writeln!(errors, "{line}"));
    let conversion = match convert(&arguments.file, arguments.config_id.as_deref()) {
        Ok(conversion) => conversion,
        Err(error) => {
            tell(format_args!("director: {error}"));
            return Exit::Invalid;
        }
    };
    let Conversion { configuration, remarks } = conversion;
    let written = to_yaml(&configuration).map_err(|error| error.to_string()).and_then(|text| {
        let written = match &arguments.output {
            Some(path) => fs::write(path, text)
                .map_err(|error| io::Error::other(format!("{}: {error}", path.display()))),
            None => io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()),
        };
        written.map_err(|error| error.to_string())
    });
    for remark in remarks.list() {
        tell(format_args!("{remark}"));
    }
    if remarks.more() > 0 {
        tell(format_args!("director: {} more keywords were left out or changed", remarks.more()));
    }
    if configuration.services.is_empty() {
        tell(format_args!("director: the converted file has no service"));
    }
    match written {
        Err(error) => {
            tell(format_args!("director: {error}"));
            Exit::Failed
        }
        Ok(()) if remarks.has_unsaid() => Exit::Unsaid,
        Ok(()) => Exit::Done,
    }
}
