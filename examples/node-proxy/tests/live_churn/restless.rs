//! Services whose endpoints change, and when the kernel's table has followed.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationEntry, Service};
use node_proxy::api_server::ApiServer;

use crate::objects::{self, cluster_ip, port};

/// How many addresses a service has. All but one are its endpoints.
pub(crate) const POOL: usize = 4;

/// A service, whose endpoints are all addresses but one.
#[derive(Clone, Copy)]
struct Kept {
    pool: [IpAddr; POOL],
    absent: usize,
}

impl Kept {
    fn endpoints(&self) -> Vec<IpAddr> {
        (0..POOL).filter(|n| *n != self.absent).map(|n| self.pool[n]).collect()
    }
}

pub(crate) struct Restless<'s> {
    server: &'s ApiServer,
    ipvs: Client,
    services: Vec<Kept>,
    /// How many services, the first ones, have clients.
    live: u32,
    /// The services whose change is not in the kernel's table yet, and when it was written.
    pending: Vec<(u32, Instant)>,
    /// How long the kernel's table took to follow.
    pub(crate) took: Vec<Duration>,
    changes: u32,
    seed: u64,
}

impl<'s> Restless<'s> {
    /// Writes all services. The endpoints of the first ones are in `pool`, those of the others nowhere.
    pub(crate) fn new(
        server: &'s ApiServer,
        ipvs: Client,
        count: u32,
        live: u32,
        pool: [IpAddr; POOL],
    ) -> Self {
        let kept = |index: u32| {
            let address = |n| Ipv4Addr::from_bits(0x0af4_0001 + index * 4 + n).into();
            let pool = if index < live { pool } else { [0, 1, 2, 3].map(address) };
            Kept { pool, absent: 0 }
        };
        let services: Vec<Kept> = (0..count).map(kept).collect();
        for (index, kept) in (0..).zip(&services) {
            server.put(objects::service(index)).unwrap();
            server.put(objects::slice(index, &kept.endpoints())).unwrap();
        }
        let (pending, took) = (Vec::new(), Vec::new());
        Self { server, ipvs, services, live, pending, took, changes: 0, seed: 1 }
    }

    /// Replaces one endpoint of a service. Every fourth time it is one with clients.
    pub(crate) fn change(&mut self) {
        self.changes += 1;
        let count = if self.changes.is_multiple_of(4) { self.live } else { self.count() };
        let begin = self.random(count);
        let is_free = |index: &u32| self.pending.iter().all(|(pending, _)| pending != index);
        let index = (0..count).map(|n| (begin + n) % count).find(is_free);
        // If those with clients are all taken, any other will do.
        let index = index.or_else(|| (0..self.count()).find(is_free)).unwrap();
        let kept = &mut self.services[index as usize];
        kept.absent = (kept.absent + 1) % POOL;
        let object = objects::slice(index, &kept.endpoints());
        self.pending.push((index, Instant::now()));
        self.server.put(object).unwrap();
    }

    fn count(&self) -> u32 {
        u32::try_from(self.services.len()).unwrap()
    }

    /// Looks at the table until a time, and once at least.
    pub(crate) fn watch_until(&mut self, time: Instant) {
        loop {
            self.look();
            let left = time.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(Duration::from_millis(1)));
        }
    }

    /// Looks at the table until it has all changes.
    pub(crate) fn watch_all(&mut self, patience: Duration) {
        let end = Instant::now() + patience;
        while !self.pending.is_empty() {
            assert!(Instant::now() < end, "not in the table: {:?}", self.pending);
            self.look();
            sleep(Duration::from_millis(1));
        }
    }

    fn look(&mut self) {
        let mut pending = std::mem::take(&mut self.pending);
        pending.retain(|(index, written)| {
            let entries = self.ipvs.destinations(Service::tcp(cluster_ip(*index)).id).unwrap();
            let followed = self.is_right(*index, entries.iter());
            if followed {
                self.took.push(written.elapsed());
            }
            !followed
        });
        self.pending = pending;
    }

    /// Returns `true` if the destinations that get new connections are the endpoints.
    fn is_right<'e>(
        &self,
        index: u32,
        entries: impl Iterator<Item = &'e DestinationEntry>,
    ) -> bool {
        let usable = entries.filter(|entry| entry.destination.weight > 0).map(|entry| entry.id());
        let endpoints = self.services[index as usize].endpoints().into_iter();
        let wanted = endpoints.map(|address| SocketAddr::new(address, port(index)).into());
        usable.collect::<BTreeSet<_>>() == wanted.collect()
    }

    /// Asserts that the whole table is right.
    #[track_caller]
    pub(crate) fn assert_table(&mut self) {
        let snapshot = self.ipvs.snapshot().unwrap();
        assert_eq!(snapshot.services().len(), self.services.len());
        for index in 0..self.count() {
            let service = snapshot.service(Service::tcp(cluster_ip(index)).id).unwrap();
            assert!(self.is_right(index, service.destinations.iter()), "{service:?}");
        }
    }

    /// Returns a number below `end` (xorshift).
    fn random(&mut self, end: u32) -> u32 {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        u32::try_from(self.seed % u64::from(end)).unwrap()
    }
}
