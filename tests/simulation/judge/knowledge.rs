//! What a controller can know: its last reading of each service, and what it was told since.

use std::collections::{BTreeMap, BTreeSet};

use ipvs_netlink::table::controller::{Answer, Reading, Work};
use ipvs_netlink::{
    Change, Connections, Destination, DestinationEntry, DestinationId, Outcome, Report, Scheduler,
    Service, ServiceFlags, ServiceId,
};

/// A destination as it was read or written last.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) settings: Destination,
    pub(crate) connections: Connections,
    pub(crate) packets: u64,
    /// `false` if a write may have changed it since.
    pub(crate) sure: bool,
}

/// A service as it was read or written last.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    pub(crate) settings: Service,
    pub(crate) servers: BTreeMap<DestinationId, Server>,
    /// `true` if its destinations were read, or it was made empty.
    pub(crate) read: bool,
}

impl Present {
    /// Returns `true` if a new client finds a destination, as far as is known.
    pub(crate) fn may_be_usable(&self) -> bool {
        self.servers.values().any(|server| server.settings.weight > 0)
    }

    /// Returns `true` if it is known that a new client finds a destination.
    pub(crate) fn is_usable(&self) -> bool {
        self.servers.values().any(|server| server.sure && server.settings.weight > 0)
    }
}

/// Returns `true` if the scheduler of a service refuses clients that it would send to a
/// destination of weight 0.
pub(crate) fn refuses_at_zero(service: &Service) -> bool {
    match service.scheduler {
        Scheduler::DESTINATION_HASHING => true,
        Scheduler::SOURCE_HASHING => !service.flags.contains(ServiceFlags::SH_FALLBACK),
        Scheduler::MAGLEV_HASHING => !service.flags.contains(ServiceFlags::MH_FALLBACK),
        _ => false,
    }
}

/// The last readings and answers of one controller. A service that was never read is missing;
/// `None` stands for a service that did not exist.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    services: BTreeMap<ServiceId, Option<Present>>,
    /// Services with a write of unknown outcome, which were not read since.
    guessed: BTreeSet<ServiceId>,
    /// All services were listed once, so a service that is missing here did not exist.
    listed: bool,
}

impl Knowledge {
    pub(crate) fn present(&self, id: ServiceId) -> Option<&Present> {
        self.services.get(&id)?.as_ref()
    }

    /// Returns `true` if the last that was heard of the service is that it does not exist.
    pub(crate) fn is_absent(&self, id: ServiceId) -> bool {
        match self.services.get(&id) {
            Some(known) => known.is_none(),
            None => self.listed,
        }
    }

    pub(crate) fn server(&self, id: ServiceId, to: DestinationId) -> Option<&Server> {
        self.present(id)?.servers.get(&to)
    }

    /// Returns `true` if a write to the service has an unknown outcome, and the service was not
    /// read since.
    pub(crate) fn is_guess(&self, id: ServiceId) -> bool {
        self.guessed.contains(&id)
    }

    pub(crate) fn present_services(&self) -> impl Iterator<Item = (ServiceId, &Present)> {
        self.services.iter().filter_map(|(id, known)| Some((*id, known.as_ref()?)))
    }

    /// Takes in an answer that the controller accepted.
    pub(crate) fn answer(&mut self, work: &Work, answer: &Answer) {
        match (work, answer) {
            (Work::ListServices, Answer::Services(listing)) => {
                if listing.is_complete() {
                    self.listed = true;
                    let listed: BTreeSet<_> = listing.iter().map(|entry| entry.id()).collect();
                    for (id, known) in &mut self.services {
                        if !listed.contains(id) {
                            *known = None;
                        }
                    }
                    self.guessed.retain(|id| listed.contains(id));
                }
                for entry in listing.iter() {
                    self.settings(&entry.service);
                }
            }
            (Work::ReadDestinations(_), Answer::Destinations(all)) => {
                for (id, listing) in all {
                    self.destinations(*id, listing, listing.is_complete());
                }
            }
            (Work::ReadServices(_), Answer::Readings(all)) => {
                for Reading { id, present, complete, .. } in all {
                    match present {
                        Ok(Some(present)) => {
                            self.settings(&present.entry.service);
                            self.destinations(*id, &present.destinations, *complete);
                        }
                        Ok(None) => {
                            self.services.insert(*id, None);
                            self.guessed.remove(id);
                        }
                        Err(_) => {}
                    }
                }
            }
            (Work::Write(writes), Answer::Written(report)) => self.written(writes, report),
            _ => {}
        }
    }

    /// Takes in that nobody will ever know what came of the writes.
    pub(crate) fn unanswered(&mut self, work: &Work) {
        if let Work::Write(writes) = work {
            for write in writes {
                self.unknown(write);
            }
        }
    }

    fn settings(&mut self, service: &Service) {
        let fresh = Present { settings: service.clone(), servers: BTreeMap::new(), read: false };
        let known = self.services.entry(service.id).or_default().get_or_insert(fresh);
        known.settings = service.clone();
    }

    fn destinations(&mut self, id: ServiceId, entries: &[DestinationEntry], complete: bool) {
        let Some(Some(known)) = self.services.get_mut(&id) else { return };
        if complete {
            known.servers.clear();
        }
        for server in known.servers.values_mut() {
            server.sure = false;
        }
        known.servers.extend(entries.iter().map(|entry| {
            let packets = entry.stats.incoming_packets.wrapping_add(entry.stats.outgoing_packets);
            let settings = entry.destination.clone();
            let connections = entry.connections;
            (settings.id, Server { settings, connections, packets, sure: true })
        }));
        known.read = true;
        self.guessed.remove(&id);
    }

    fn written(&mut self, writes: &[Change], report: &Report) {
        for (write, outcome) in writes.iter().zip(report.outcomes()) {
            match outcome {
                Outcome::Done => self.done(write),
                Outcome::Refused(_) => self.doubt(write),
                Outcome::Unknown(_) => self.unknown(write),
                Outcome::NotSent(_) => {}
            }
        }
    }

    fn done(&mut self, change: &Change) {
        match change {
            Change::AddService(service) => {
                let settings = service.clone();
                let made = Present { settings, servers: BTreeMap::new(), read: true };
                self.services.insert(service.id, Some(made));
            }
            Change::UpdateService(service) => self.settings(service),
            Change::DeleteService(id) => {
                self.services.insert(*id, None);
            }
            Change::AddDestination(id, destination)
            | Change::UpdateDestination(id, destination) => {
                // If others have added the service, its settings are not known.
                let settings = Service::new(*id);
                let fresh = Present { settings, servers: BTreeMap::new(), read: false };
                let known = self.services.entry(*id).or_default().get_or_insert(fresh);
                let server = known.servers.entry(destination.id).or_insert_with(|| Server {
                    settings: destination.clone(),
                    connections: Connections::default(),
                    packets: 0,
                    sure: true,
                });
                server.settings = destination.clone();
                server.sure = true;
            }
            Change::DeleteDestination(id, to) => {
                if let Some(Some(known)) = self.services.get_mut(id) {
                    known.servers.remove(to);
                }
            }
            _ => {}
        }
    }

    /// A refusal tells that somebody else was there.
    fn doubt(&mut self, change: &Change) {
        let (id, to) = objects(change);
        let Some(Some(known)) = id.and_then(|id| self.services.get_mut(&id)) else { return };
        for (at, server) in &mut known.servers {
            server.sure &= to.is_some_and(|to| to != *at);
        }
    }

    fn unknown(&mut self, change: &Change) {
        self.doubt(change);
        self.guessed.extend(objects(change).0);
    }
}

/// The service of a change, and its destination if it concerns one.
pub(crate) fn objects(change: &Change) -> (Option<ServiceId>, Option<DestinationId>) {
    use ipvs_netlink::Object;
    match change.object() {
        Some(Object::Service(id)) => (Some(id), None),
        Some(Object::Destination(id, to)) => (Some(id), Some(to)),
        _ => (None, None),
    }
}
