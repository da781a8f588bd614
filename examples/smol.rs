//! Drains a destination from smol: takes it out of rotation, waits until it has no
//! connections, those being opened or closed included, and deletes it.
//!
//! `cargo run --example smol -- 'TCP 192.0.2.10:80' 10.0.0.2:8080`. Needs
//! `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives a shell
//! on one.

use std::error::Error;
use std::io::{self, Write};
use std::ops::ControlFlow;

use ipvs_netlink::smol::Client;
use ipvs_netlink::table::DrainPolicy;
use ipvs_netlink::{DestinationId, ServiceId};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(service), Some(destination)) = (arguments.next(), arguments.next()) else {
        return Err(
            "usage: smol SERVICE DESTINATION, such as 'TCP 192.0.2.10:80' 10.0.0.2:8080".into()
        );
    };
    async_io::block_on(drain(service.parse()?, destination.parse()?))
}

async fn drain(service: ServiceId, destination: DestinationId) -> Result<(), Box<dyn Error>> {
    let mut ipvs = Client::connect().await?;
    // As long as it takes. When it is interrupted, weight 0 stays and the next run goes on.
    let policy = DrainPolicy::new().deadline(None);
    let watched = ipvs.drain_with(service, destination, policy, |progress| {
        match writeln!(io::stdout(), "{progress}") {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    writeln!(io::stdout(), "{destination}: {}", watched.await?)?;
    Ok(())
}
