//! A rolled deployment in half a minute: pods come and go, the API server is away and the agent restarts,
//! while clients connect all the time. Each line says how long a change took, and how many connections
//! failed.
//!
//! `cargo run -p node-proxy -- demo` needs neither root nor a cluster nor a host with IPVS: Cargo's runner
//! boots a kernel that has it. As root on a host with IPVS, the demo uses the host's kernel. Everything
//! happens in network namespaces of this process, which end with it.

#[allow(dead_code, reason = "what only tests need")]
mod agent;
mod cluster;
mod local_addresses;
#[path = "../../../quickstart/network.rs"]
#[allow(dead_code, reason = "what only other programs need")]
mod network;
mod pods;
mod scenes;
mod stage;
mod traffic;

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, Write as _};

use self::scenes::Play;
use crate::exit::Exit;
use crate::log;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays the demo. It fails if a connection fails through the table that the agent keeps.
#[must_use]
pub fn run() -> Exit {
    match play() {
        Ok(0) => Exit::Done,
        Ok(_) => Exit::Failed,
        // Nobody reads any further.
        Err(error) if is_broken_pipe(&*error) => Exit::Done,
        Err(error) => {
            log::line(format_args!("node-proxy: {error}"));
            Exit::Failed
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe)
}

/// Returns how many connections failed.
fn play() -> Result<usize> {
    let mut play = Play::new()?;
    play.introduce()?;
    play.roll()?;
    play.lose_the_api_server()?;
    play.restart_the_agent()?;
    let ours = play.stop()?;
    let theirs = play.roll_without_drain()?;
    say(format_args!(
        "\n{} of {} connections failed where destinations were deleted at once",
        theirs.failed(),
        theirs.all()
    ))?;
    say(format_args!("{} of {} connections failed", ours.failed(), ours.all()))?;
    Ok(ours.failed())
}

/// Prints a line. Fails if standard output is closed.
fn say(text: impl fmt::Display) -> Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
