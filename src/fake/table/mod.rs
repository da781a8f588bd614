//! The tables of all namespaces: services, destinations, and destinations in the trash.

mod buckets;
pub(super) mod connections;
pub(super) mod counters;
pub(super) mod destination;
mod fold;
pub(super) mod interfaces;
pub(super) mod key;
pub(super) mod service;
pub(super) mod slab;
pub(super) mod space;
mod trash;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::fake::Version;
use crate::fake::table::buckets::Buckets;
use crate::fake::table::connections::Ending;
use crate::fake::table::destination::Destination;
use crate::fake::table::fold::FoldMap;
use crate::fake::table::key::{DestinationKey, ServiceKey};
use crate::fake::table::service::Service;
use crate::fake::table::slab::{Slab, Slot};
use crate::fake::table::space::Space;

/// All services and destinations of a kernel.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) version: Version,
    pub(super) spaces: Vec<Space>,
    pub(super) services: Slab<Service>,
    by_key: FoldMap<ServiceKey, Slot>,
    pub(super) buckets: Buckets,
    pub(super) destinations: Slab<Destination>,
    by_destination: FoldMap<(Slot, DestinationKey), Slot>,
    /// How many services there have been.
    born: u64,
    /// When connections end.
    endings: BinaryHeap<Reverse<Ending>>,
    /// How many endings there have been, which orders those of one time.
    ended: u64,
}

impl Table {
    pub(super) fn new(version: Version) -> Self {
        Self {
            version,
            spaces: Vec::new(),
            services: Slab::new(),
            by_key: FoldMap::default(),
            buckets: Buckets::new(),
            destinations: Slab::new(),
            by_destination: FoldMap::default(),
            born: 0,
            endings: BinaryHeap::new(),
            ended: 0,
        }
    }

    pub(super) fn find(&self, key: &ServiceKey) -> Option<Slot> {
        self.by_key.get(key).copied()
    }

    pub(super) fn find_destination(&self, service: Slot, key: DestinationKey) -> Option<Slot> {
        self.by_destination.get(&(service, key)).copied()
    }

    pub(super) fn space(&mut self, space: usize) -> Option<&mut Space> {
        self.spaces.get_mut(space)
    }

    fn seed(&self, space: usize) -> u8 {
        self.spaces.get(space).map_or(0, |space| space.seed)
    }

    /// Deletes everything of all namespaces, as when the module is unloaded.
    pub(super) fn clear(&mut self) {
        let spaces = std::mem::take(&mut self.spaces);
        let born = self.born;
        *self = Self { spaces, born, ..Self::new(self.version) };
        self.spaces.iter_mut().for_each(Space::clear);
    }
}
