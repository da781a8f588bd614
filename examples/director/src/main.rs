//! The program `director`.

use std::process::ExitCode;

use clap::Parser as _;
use director::arguments::{Arguments, Command};
use director::{check, convert, daemon};

fn main() -> ExitCode {
    let exit = match Arguments::parse().command {
        Command::Run(arguments) => daemon::run(&arguments),
        Command::Status(arguments) => arguments.run(),
        Command::Events(arguments) => arguments.run(),
        Command::Drain(arguments) => arguments.run(),
        Command::Maintenance(arguments) => arguments.run(),
        Command::Weight(arguments) => arguments.run(),
        Command::CheckNow(arguments) => arguments.run(),
        Command::Reload(arguments) => arguments.run(),
        Command::Check(arguments) => check::run(&arguments),
        #[cfg(feature = "demo")]
        Command::Demo => director::demo::run(),
        Command::Convert(arguments) => convert::run(&arguments),
    };
    exit.into()
}
