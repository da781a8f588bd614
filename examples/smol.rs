//! Drains a destination with the smol client: sets weight 0, waits until its connections have
//! ended, and deletes it.
//!
//! `cargo run --example smol -- 'TCP 192.0.2.10:80' 10.0.0.2:8080`. Needs
//! `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives a shell
//! on one.

use std::error::Error;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::process::ExitCode;

use ipvs_netlink::smol::Client;
use ipvs_netlink::table::DrainPolicy;
use ipvs_netlink::{DestinationId, ServiceId};

const HELP: &str = "\
Drains a destination: sets weight 0, waits until its connections have ended, and deletes it.

usage: smol SERVICE DESTINATION, such as: smol 'TCP 192.0.2.10:80' 10.0.0.2:8080

Prints a line whenever the number of connections has changed. After an interruption weight 0
stays; run it again to continue.
";

fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["-h" | "--help"] => write!(io::stdout(), "{HELP}").map_err(Into::into),
        [service, destination] => drain(service, destination),
        _ => {
            write!(io::stderr(), "{HELP}").ok();
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader of standard output has closed it, as `head` does.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "smol: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn drain(service: &str, destination: &str) -> Result<(), Box<dyn Error>> {
    async_io::block_on(wait(service.parse()?, destination.parse()?))
}

async fn wait(service: ServiceId, destination: DestinationId) -> Result<(), Box<dyn Error>> {
    let mut ipvs = Client::connect().await?;
    // No deadline. After an interruption weight 0 stays, and the next run continues.
    let policy = DrainPolicy::new().deadline(None);
    let mut printed = None;
    let watched = ipvs.drain_with(service, destination, policy, |progress| {
        // This is called twice a second, maybe for hours: print only changes.
        if printed == Some(progress.connections) {
            return ControlFlow::Continue(());
        }
        printed = Some(progress.connections);
        match writeln!(io::stdout(), "{progress}") {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let drained = watched.await?;
    writeln!(io::stdout(), "{destination}: {drained}")?;
    Ok(())
}
