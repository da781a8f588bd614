//! The program `director`.

use std::process::ExitCode;

use clap::Parser as _;
use director::arguments::{Arguments, Command};
use director::daemon;

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Run(arguments) => daemon::run(&arguments),
    };
    exit.into()
}
