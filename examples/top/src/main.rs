//! The program `ipvs-top`.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Parser as _;
use top::arguments::Arguments;
use top::program;

fn main() -> ExitCode {
    match program::run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads any further.
        Err(program::Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        // As a shell tells it of a program that a signal has killed.
        Err(program::Failure::Signal(number)) => {
            u8::try_from(number).map_or(ExitCode::FAILURE, |number| ExitCode::from(128 | number))
        }
        Err(failure) => {
            let _ = writeln!(io::stderr(), "ipvs-top: {failure}");
            ExitCode::FAILURE
        }
    }
}
