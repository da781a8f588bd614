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
    /// The services that were written since they were listed: their entries are out of date.
    written: Services,
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
            written: Services::default(),
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
        self.written.clear();
    }

    /// Notes that a service is written: its entry in the list is out of date.
    pub(super) fn wrote(&mut self, id: ServiceId) {
        if self.listed {
            self.written.insert(id);
        }
    }

    /// Returns `true` if the entry of a service in the list is out of date.
    pub(super) fn is_written(&self, id: ServiceId) -> bool {
        self.written.contains(&id)
    }

    /// Takes out an absent service.
    pub(super) fn next_absent(&mut self) -> Option<ServiceId> {
        self.absent.pop_front()
    }

    /// Begins to read the next services. Returns their ids; none at the end.
    pub(super) fn next_portion(&mut self) -> Vec<ServiceId> {
        while self.reading.len() < MOST {
            let Some(entry) = self.rest.pop_front() else { break };
            if !self.written.contains(&entry.service.id) {
                self.reading.push(entry);
            }
        }
        self.reading.iter().map(ServiceEntry::id).collect()
    }

    /// Takes out the services that are being read.
    pub(super) fn take_reading(&mut self) -> Vec<ServiceEntry> {
        std::mem::take(&mut self.reading)
    }
}
