//! The program `director`.

use std::process::ExitCode;

use clap::Parser as _;
use director::arguments::{Arguments, Command};
use director::{check, daemon};

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Run(arguments) => daemon::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
    };
    exit.into()
}
