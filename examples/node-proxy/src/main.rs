//! The program `node-proxy`.

use std::process::ExitCode;

use node_proxy::arguments::{Arguments, Command};
use node_proxy::host::cleanup;
use node_proxy::{agent, offline};

fn main() -> ExitCode {
    let arguments = Arguments::parse_or_exit();
    let exit = match &arguments.command {
        Some(Command::Run(arguments)) => agent::run(arguments),
        Some(Command::Cleanup(arguments)) => cleanup::run(arguments),
        #[cfg(feature = "demo")]
        Some(Command::Demo) => node_proxy::demo::run(),
        None => offline::run(&arguments.offline),
    };
    exit.into()
}
