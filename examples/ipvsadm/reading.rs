//! Reads the table to list or save it.
//!
//! The kernel sends a long list in pieces, and leaves entries out if others change the table
//! between two pieces. [`Client::snapshot`] mends that but does not keep the kernel's order.
//! `--nosort` shows that order, and the original's way of sorting depends on it.

use std::collections::HashMap;
use std::hash::Hash;

use ipvs_netlink::{Client, DestinationEntry, Error, ErrorKind, Listing, ServiceEntry, ServiceId};

use crate::failure::Failure;
use crate::order;

/// Services with their destinations.
pub(crate) struct Reading {
    pub(crate) services: Vec<(ServiceEntry, Vec<DestinationEntry>)>,
    /// Whether the reading has all entries that were there all the time.
    complete: bool,
}

impl Reading {
    /// Reads the table, and sorts it or keeps the kernel's order.
    pub(crate) fn table(ipvs: &mut Client, sorted: bool) -> Result<Self, Failure> {
        let listed = ipvs.services()?;
        let one_by_one = if listed.is_complete() { Self::one_by_one(ipvs, &listed)? } else { None };
        let mut reading = match one_by_one {
            Some(reading) => reading,
            None => Self::from_snapshot(ipvs, &listed, sorted)?,
        };
        if sorted {
            order::sort_services(&mut reading.services);
            for (_, destinations) in &mut reading.services {
                order::sort_destinations(destinations);
            }
        }
        Ok(reading)
    }

    /// Reads the table until two readings agree, and puts it in the kernel's order.
    fn from_snapshot(
        ipvs: &mut Client,
        listed: &[ServiceEntry],
        sorted: bool,
    ) -> Result<Self, Failure> {
        let snapshot = ipvs.snapshot()?;
        let services = snapshot.services();
        let mut services: Vec<_> =
            services.map(|service| (service.entry.clone(), service.destinations.clone())).collect();
        as_listed(&mut services, listed.iter().map(id_of), |(entry, _)| id_of(entry));
        for (entry, destinations) in &mut services {
            in_the_kernels_order(ipvs, entry.service.id, destinations, sorted)?;
        }
        Ok(Self { services, complete: snapshot.is_complete() })
    }

    /// Reads the destinations of each service. `None` if a list of destinations was too long for
    /// one piece and is incomplete.
    fn one_by_one(ipvs: &mut Client, services: &[ServiceEntry]) -> Result<Option<Self>, Failure> {
        let mut all = Vec::with_capacity(services.len());
        for entry in services {
            let destinations = destinations(ipvs, entry.service.id)?;
            if destinations.as_ref().is_some_and(|listed| !listed.is_complete()) {
                return Ok(None);
            }
            all.push((entry.clone(), destinations.map_or_else(Vec::new, Listing::into_vec)));
        }
        Ok(Some(Self { services: all, complete: true }))
    }

    /// Reads one service.
    pub(crate) fn service(ipvs: &mut Client, id: ServiceId, sorted: bool) -> Result<Self, Failure> {
        let entry = ipvs.service(id)?;
        let listed = destinations(ipvs, id)?;
        let mut complete = listed.as_ref().is_none_or(Listing::is_complete);
        let mut listed = listed.map_or_else(Vec::new, Listing::into_vec);
        if !complete {
            let snapshot = ipvs.snapshot()?;
            complete = snapshot.is_complete();
            let order: Vec<_> = listed.iter().map(|entry| entry.destination.id).collect();
            listed = snapshot.service(id).map_or_else(Vec::new, |there| there.destinations.clone());
            as_listed(&mut listed, order.into_iter(), |entry| entry.destination.id);
        }
        if sorted {
            order::sort_destinations(&mut listed);
        }
        Ok(Self { services: vec![(entry, listed)], complete })
    }

    /// Gives the failure of a program that has printed an incomplete reading.
    pub(crate) fn check_complete(&self) -> Result<(), Failure> {
        match self.complete {
            true => Ok(()),
            false => Err(Failure::incomplete()),
        }
    }
}

fn id_of(entry: &ServiceEntry) -> ServiceId {
    entry.service.id
}

/// Reads the destinations of a service. `None` if the service was deleted meanwhile.
fn destinations(
    ipvs: &mut Client,
    id: ServiceId,
) -> Result<Option<Listing<DestinationEntry>>, Error> {
    match ipvs.destinations(id) {
        Err(error) if error.kind() == ErrorKind::NoSuchService => Ok(None),
        listed => listed.map(Some),
    }
}

/// Puts destinations in the kernel's order, if the output depends on that order.
fn in_the_kernels_order(
    ipvs: &mut Client,
    id: ServiceId,
    entries: &mut [DestinationEntry],
    sorted: bool,
) -> Result<(), Failure> {
    if entries.len() < 2 || sorted && !order::depends_on_order(entries) {
        return Ok(());
    }
    if let Some(listed) = destinations(ipvs, id)? {
        let order = listed.iter().map(|entry| entry.destination.id);
        as_listed(entries, order, |entry| entry.destination.id);
    }
    Ok(())
}

/// Puts entries in the order of a list. Entries that are not in the list come last.
fn as_listed<T, I: Hash + Eq>(
    entries: &mut [T],
    list: impl Iterator<Item = I>,
    id: impl Fn(&T) -> I,
) {
    let places: HashMap<I, usize> = list.enumerate().map(|(place, id)| (id, place)).collect();
    entries.sort_by_cached_key(|entry| places.get(&id(entry)).copied().unwrap_or(usize::MAX));
}
