//! Watches the table with the tokio client: prints every second how many connections each service
//! got, until Ctrl-C.
//!
//! `cargo run --example tokio -- 3` stops after three rounds. Needs `CAP_NET_ADMIN`
//! and a kernel with IPVS; `tests/kernel/run --shell` gives a shell on one.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ipvs_netlink::tokio::Client;
use ipvs_netlink::{Destination, Service};
use tokio::sync::Mutex;

const HELP: &str = "\
Prints every second how many connections each service got, until Ctrl-C.

usage: tokio [ROUNDS]

ROUNDS  the number of seconds after which it ends
";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let rounds = match arguments.as_slice() {
        [] => Some(u64::MAX),
        [word] if word == "-h" || word == "--help" => {
            // Ignore a closed standard output: nobody reads it.
            write!(io::stdout(), "{HELP}").ok();
            return ExitCode::SUCCESS;
        }
        [rounds] => rounds.parse().ok(),
        _ => None,
    };
    let Some(rounds) = rounds else {
        write!(io::stderr(), "{HELP}").ok();
        return ExitCode::from(2);
    };
    match run(rounds).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "tokio: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

async fn run(rounds: u64) -> Result<(), Box<dyn Error>> {
    // A client does one operation at a time, so tasks share it in a mutex.
    let ipvs = Arc::new(Mutex::new(Client::connect().await?));
    let watcher = tokio::spawn(watch(Arc::clone(&ipvs), rounds));

    // If the table is empty, add a service to watch. It is deleted at the end.
    let example = Service::tcp("127.0.0.1:7000".parse()?);
    let ours = ipvs.lock().await.services().await?.is_empty();
    if ours {
        let mut ipvs = ipvs.lock().await;
        ipvs.add_service(&example).await?;
        ipvs.add_destination(example.id, &Destination::masquerade("127.0.0.1:8000".parse()?))
            .await?;
    }

    let watched = tokio::select! {
        watched = watcher => watched?.map_err(Into::into),
        interrupted = tokio::signal::ctrl_c() => interrupted.map_err(Into::into),
    };
    if ours {
        ipvs.lock().await.delete_service(example.id).await?;
    }
    watched
}

/// Prints how many connections each service got since the last round, until standard output is
/// closed.
async fn watch(ipvs: Arc<Mutex<Client>>, rounds: u64) -> Result<(), ipvs_netlink::Error> {
    let mut before = HashMap::new();
    for round in 1..=rounds {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let services = ipvs.lock().await.services().await?;
        let mut out = io::stdout().lock();
        for entry in services {
            let (id, connections) = (entry.service.id, entry.stats.connections);
            let new = connections - before.insert(id, connections).unwrap_or(0).min(connections);
            if writeln!(out, "{round:>4} {id} +{new} connections").is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
