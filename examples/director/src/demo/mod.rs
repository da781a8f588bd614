//! The director in half a minute: servers die and come back, orders arrive and the file changes,
//! while clients connect all the time. Each line says how long a change took, and how many
//! connections failed.
//!
//! `cargo run -p director -- demo` needs neither root nor a host with IPVS: Cargo's runner boots a
//! kernel that has it. As root on a host with IPVS, the demo uses the host's kernel. Everything
//! happens in network namespaces of this process, which end with it.

#[path = "../../../health/clients.rs"]
mod clients;
mod director;
mod files;
#[path = "../../../quickstart/greeting.rs"]
mod greeting;
#[path = "../../../quickstart/network.rs"]
mod network;
mod scenes;
#[path = "../../../health/stage.rs"]
mod stage;

use std::error::Error;
use std::io::{self, ErrorKind, Write as _};
use std::thread;

use self::clients::Clients;
use self::files::Folder;
use self::network::Network;
use self::scenes::Play;
use self::stage::{Stage, say, web};
use crate::exit::Exit;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Plays the demo.
#[must_use]
pub fn run() -> Exit {
    match play() {
        Ok(0) => Exit::Done,
        Ok(_) => Exit::Failed,
        // Nobody reads any further.
        Err(error) if is_broken_pipe(&*error) => Exit::Done,
        Err(error) => {
            let _ = writeln!(io::stderr(), "director: {error}");
            Exit::Failed
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref().is_some_and(|error: &io::Error| error.kind() == ErrorKind::BrokenPipe)
}

/// Returns how many connections failed of which the policy promises that none does.
fn play() -> Result<usize> {
    let network = Network::with_servers(4)
        .map_err(|error| format!("cannot make a network of namespaces, as root can: {error}"))?;
    let clients = Clients::of(web());
    let folder = Folder::new()?;
    let mut play = Play::new(&network, &folder, Stage::new(&network, &clients)?)?;
    let played = thread::scope(|scope| {
        let director = play.introduce()?;
        for number in 0..4 {
            let (clients, network) = (&clients, &network);
            scope.spawn(move || clients.visit(network, number));
        }
        let played = play.play(director);
        clients.go_home();
        played.and_then(|director| play.end(director))
    });
    played.map_err(|error| with_log(error, &folder))?;
    let (broken, promised) = (play.stage.broken, play.stage.promised);
    say(format_args!(
        "\n{broken} of {promised} connections failed where the policy promises none"
    ))?;
    Ok(broken)
}

/// Adds what the daemon has told last.
fn with_log(error: Box<dyn Error>, folder: &Folder) -> Box<dyn Error> {
    if is_broken_pipe(&*error) {
        return error;
    }
    format!("{error}\nThe daemon's log ends with:\n{}", folder.end_of_log()).into()
}
