//! Reading the whole table in portions.

use std::collections::VecDeque;

use crate::model::{ServiceEntry, ServiceId};
use crate::table::controller::services::Services;
use crate::table::controller::task::MOST;

/// A reading of the whole table, from the list of services on.
#[derive(Debug)]
pub(super) struct Sweep {
    /// `true` if the list stands for the single readings that are due.
    pub(super) takes_due: bool,
    /// `true` if the services were listed.
    pub(super) listed: bool,
    /// The number of services in the list.
    pub(super) services: usize,
    /// The number of services that were not as wished.
    pub(super) differed: usize,
    /// The services in the list whose destinations are to be read.
    rest: VecDeque<ServiceEntry>,
    /// The services whose destinations are being read.
    reading: Vec<ServiceEntry>,
    /// The wished services that the kernel has not.
    absent: VecDeque<ServiceId>,
    /// The services that were written or read alone since they were listed: their entries are out of
    /// date.
    superseded: Services,
    /// `true` if services were read alone since the last task of this reading: the next task is
    /// one of this reading.
    has_turn: bool,
    /// The number of services that are still to be read alone at the end.
    alone: Option<usize>,
}

impl Sweep {
    pub(super) fn new(takes_due: bool) -> Self {
        Self {
            takes_due,
            listed: false,
            services: 0,
            differed: 0,
            rest: VecDeque::new(),
            reading: Vec::new(),
            absent: VecDeque::new(),
            superseded: Services::default(),
            has_turn: false,
            alone: None,
        }
    }

    /// Takes in the list: the services to be read, and the wished services that are absent.
    pub(super) fn list(
        &mut self,
        services: usize,
        rest: Vec<ServiceEntry>,
        absent: Vec<ServiceId>,
    ) {
        self.listed = true;
        self.services = services;
        self.rest = rest.into();
        self.absent = absent.into();
        self.superseded.clear();
    }

    /// Notes that a service is written or was read alone: its entry in the list is out of date.
    pub(super) fn supersede(&mut self, id: ServiceId) {
        if self.listed {
            self.superseded.insert(id);
        }
    }

    /// Returns `true` if the entry of a service in the list is out of date.
    pub(super) fn is_superseded(&self, id: ServiceId) -> bool {
        self.superseded.contains(&id)
    }

    /// Returns `true` if services that are due have to wait for the next task of this reading.
    pub(super) const fn goes_first(&self) -> bool {
        (self.takes_due && !self.listed) || self.has_turn
    }

    /// Notes that `number` services are read alone.
    pub(super) fn read_alone(&mut self, number: usize) {
        self.has_turn = true;
        self.alone = self.alone.map(|alone| alone.saturating_sub(number));
    }

    /// Returns `true` if nothing is left to be read. Of the services that are due then, `due`,
    /// those belong to this reading that were due when its last portion was read.
    pub(super) fn is_over(&mut self, due: usize) -> bool {
        self.has_turn = false;
        due == 0 || *self.alone.get_or_insert(due) == 0
    }

    /// Takes out an absent service.
    pub(super) fn next_absent(&mut self) -> Option<ServiceId> {
        self.absent.pop_front()
    }

    /// Begins to read the next services. Returns their ids; none at the end.
    pub(super) fn next_portion(&mut self) -> Vec<ServiceId> {
        self.has_turn = false;
        self.reading.reserve(self.rest.len().min(MOST));
        while self.reading.len() < MOST {
            let Some(entry) = self.rest.pop_front() else { break };
            if !self.superseded.contains(&entry.service.id) {
                self.reading.push(entry);
            }
        }
        self.reading.iter().map(ServiceEntry::id).collect()
    }

    /// Notes that the services that are being read could not be read.
    pub(super) fn put_back(&mut self) {
        self.reading.drain(..).rev().for_each(|entry| self.rest.push_front(entry));
    }

    /// Takes out the services that are being read.
    pub(super) fn take_reading(&mut self) -> Vec<ServiceEntry> {
        std::mem::take(&mut self.reading)
    }
}
