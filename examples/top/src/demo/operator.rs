//! An operator who changes the table now and then, as far as the user of the demo leaves it to him.

use std::net::SocketAddr;
use std::thread::sleep;
use std::time::Duration;

use ipvs_netlink::{Client, Destination, ServiceId};

use super::greeting::Connection;
use super::network::{Network, client_addresses};
use super::table::Played;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many connections last as long as the demo.
const LASTING: u8 = 12;

/// The time between two changes.
const PAUSE: Duration = Duration::from_secs(9);

/// Drains the last server of the first service, whose connections last on. Then gives a server of the third
/// service more and less weight in turn, for ever.
pub(super) fn operate(network: &Network, services: &[Played]) -> ipvs_netlink::Result<()> {
    let mut ipvs = Client::in_namespace_fd(&network.director)?;
    let mut lasting = Vec::new();
    if let [web, _, dns, ..] = services {
        if let Some(address) = web.service.id.address() {
            lasting.extend((0..LASTING).filter_map(|number| stay(network, number % 6, address)));
        }
        if let Some(last) = web.destinations.last() {
            ipvs.update_destination(web.service.id, &last.clone().weight(0))?;
        }
        if let Some(first) = dns.destinations.first() {
            for weight in [3, 1].into_iter().cycle() {
                sleep(PAUSE);
                give(&mut ipvs, dns.service.id, first, weight)?;
            }
        }
    }
    Ok(())
}

fn stay(network: &Network, client: u8, to: SocketAddr) -> Option<Connection> {
    Connection::open(&network.client, client_addresses(client).v4, to, PATIENCE).ok()
}

/// Leaves a server alone that the user has drained.
fn give(
    ipvs: &mut Client,
    service: ServiceId,
    destination: &Destination,
    weight: u32,
) -> ipvs_netlink::Result<()> {
    let snapshot = ipvs.snapshot_of(&[service])?;
    let entry = snapshot.service(service).and_then(|it| it.destination(destination.id));
    match entry {
        Some(entry) if entry.destination.weight > 0 => {
            ipvs.update_destination(service, &entry.destination.clone().weight(weight))
        }
        _ => Ok(()),
    }
}
