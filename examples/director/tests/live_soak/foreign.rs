//! Another program that changes the table.

use std::net::SocketAddr;
use std::time::Instant;

use ipvs_netlink::{Client, Destination, Service};

use crate::chance::Chance;
use crate::soak::{CALM_HOSTS, FOREIGN_HOST, PORT, calm};
use crate::stage::{Stage, at, id, there, vip};

/// A writer that does not ask.
#[derive(Debug)]
pub(crate) struct Foreign {
    ipvs: Client,
    pub(crate) writes: usize,
    /// When a destination was deleted. The kernel then drops what its connections send.
    pub(crate) deletions: Vec<(Instant, Instant)>,
}

impl Foreign {
    pub(crate) fn new(stage: &Stage) -> Self {
        let ipvs = Client::in_namespace_fd(&stage.network.director).unwrap();
        Self { ipvs, writes: 0, deletions: Vec::new() }
    }

    /// The service of the other program, which the daemon leaves alone.
    pub(crate) fn its_service() -> SocketAddr {
        vip(2, 7000)
    }

    /// Adds the service of the other program.
    pub(crate) fn begin(&mut self) {
        let service = Service::tcp(Self::its_service());
        self.ipvs.add_service(&service).unwrap();
        self.ipvs.add_destination(service.id, &Destination::masquerade(at(0, PORT))).unwrap();
    }

    /// Changes what belongs to the daemon, so that clients are served still. What it wants to change
    /// may be gone.
    pub(crate) fn write(&mut self, chance: &mut Chance) {
        let what = chance.below(4);
        let host = if what == 0 { chance.one(&CALM_HOSTS) } else { FOREIGN_HOST };
        let mut destination = Destination::masquerade(at(host, PORT));
        destination.weight = 1 + u32::try_from(chance.below(100)).unwrap();
        let done = match what {
            0 => self.ipvs.update_destination(id(calm()), &destination),
            1 => {
                destination.weight = 0;
                self.ipvs.update_destination(id(calm()), &destination)
            }
            2 => {
                let begin = Instant::now();
                let done = self.ipvs.delete_destination(id(calm()), there(host, PORT));
                self.deletions.push((begin, Instant::now()));
                done
            }
            // One that is not in the file.
            _ => {
                let other = Destination::masquerade(at(chance.one(&CALM_HOSTS), PORT + 1));
                self.ipvs.add_destination(id(calm()), &other)
            }
        };
        self.writes += usize::from(done.is_ok());
    }
}
