//! The program `exporter`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use exporter::arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    #[cfg(feature = "demo")]
    if arguments.demo {
        return exporter::demo::run();
    }
    match exporter::run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "exporter: {failure}");
            ExitCode::FAILURE
        }
    }
}
