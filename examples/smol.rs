//! Drains a destination from smol: takes it out of rotation, waits until it has no
//! connections, and deletes it.
//!
//! `cargo run --example smol -- 'TCP 192.0.2.10:80' 10.0.0.2:8080`. Needs
//! `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives a shell
//! on one.

use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use async_io::Timer;
use ipvs_netlink::smol::Client;
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
    ipvs.set_weight(service, destination, 0).await?;
    loop {
        let left = ipvs.destination(service, destination).await?.connections;
        writeln!(
            io::stdout(),
            "{destination}: {} active, {} inactive, {} persistent",
            left.active,
            left.inactive,
            left.persistent
        )?;
        // Inactive ones have ended; the kernel forgets them by and by.
        if left.active == 0 && left.persistent == 0 {
            break;
        }
        Timer::after(Duration::from_secs(1)).await;
    }
    ipvs.delete_destination(service, destination).await?;
    Ok(())
}
