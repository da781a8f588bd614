//! A table that answers changes in the same way as the kernel's.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::error::{Context, Error, kind_of_refusal};
use crate::model::{
    Change, Connections, DestinationEntry, DestinationId, Service, ServiceEntry, ServiceId,
    ServiceSnapshot, Snapshot, Stats,
};
use crate::table::execute::ServiceReading;

const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const EEXIST: i32 = 17;

/// The services with their destinations.
pub(crate) type Rows = BTreeMap<ServiceId, (Service, BTreeMap<DestinationId, DestinationEntry>)>;

/// Returns the rows of a snapshot.
pub(crate) fn rows(snapshot: &Snapshot) -> Rows {
    let row = |service: &ServiceSnapshot| {
        let entries = service.destinations.iter().cloned();
        let entries = entries.map(|entry| (entry.destination.id, entry)).collect();
        (service.id(), (service.entry.service.clone(), entries))
    };
    snapshot.services().map(row).collect()
}

/// Makes a change, or refuses it with the kernel's error.
pub(crate) fn write(rows: &mut Rows, change: &Change) -> Result<(), Error> {
    let refused = |errno| {
        let kind = kind_of_refusal(change.operation(), None, errno);
        Error::refused(Context::of(change), kind, errno, None)
    };
    let service = change.service().unwrap();
    let there = rows.get_mut(&service);
    match (change, there) {
        (Change::AddService(_), Some(_)) => return Err(refused(EEXIST)),
        (Change::AddService(new), None) => {
            rows.insert(service, (new.clone(), BTreeMap::new()));
        }
        (_, None) => return Err(refused(ESRCH)),
        (Change::UpdateService(new), Some(there)) => there.0 = new.clone(),
        (Change::DeleteService(_), Some(_)) => drop(rows.remove(&service)),
        (Change::AddDestination(_, new), Some((_, there))) => {
            if there.contains_key(&new.id) {
                return Err(refused(EEXIST));
            }
            let (connections, stats) = (Connections::default(), Stats::default());
            there.insert(new.id, DestinationEntry::new(new.clone(), connections, stats));
        }
        (Change::UpdateDestination(_, new), Some((_, there))) => match there.get_mut(&new.id) {
            Some(entry) => entry.destination = new.clone(),
            None => return Err(refused(ENOENT)),
        },
        (Change::DeleteDestination(_, id), Some((_, there))) => {
            if there.remove(id).is_none() {
                return Err(refused(ENOENT));
            }
        }
        _ => unreachable!("{change}"),
    }
    Ok(())
}

/// Reads a service and its destinations.
pub(crate) fn read(rows: &Rows, id: ServiceId) -> ServiceReading<'static> {
    let Some((service, destinations)) = rows.get(&id) else { return ServiceReading::NOTHING };
    let entry = ServiceEntry::new(service.clone(), Stats::default());
    ServiceReading {
        service: Some(Cow::Owned(entry)),
        destinations: Cow::Owned(destinations.values().cloned().collect()),
        complete: true,
    }
}
