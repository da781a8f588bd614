//! Orders that this program carries out itself, where nobody else steers the table.

use ipvs_netlink::{
    Certainty, Client, DestinationEntry, DestinationId, Error, ErrorKind, Result, ServiceId,
};

use crate::reading::{Source, writers};
use crate::state::Writer;
use crate::state::steering::Failure;

/// Gives a destination a weight, with one write. Writes nothing if the destination has another weight than
/// `from`. The kernel takes all settings of a destination at once: the others are those of a moment before.
pub(super) fn weight(
    source: &Source,
    id: ServiceId,
    destination: DestinationId,
    from: u32,
    to: u32,
) -> std::result::Result<String, Failure> {
    // The list that the user saw is some seconds old. A director was asked, and does not keep this service.
    if let Some(writer) = writers(source).found.iter().find(|it| it.name != Writer::DIRECTOR) {
        let Writer { name, process } = writer;
        return Err(Failure::Unchanged(format!(
            "{name} (process {process}) steers this table: nothing was changed"
        )));
    }
    let failed = |error: Error| Failure::Unchanged(format!("nothing was changed: {error}"));
    let gone = || Failure::Outdated(format!("{id} {destination} is not in the table any more"));
    let mut ipvs = source.connect().map_err(failed)?;
    let before = read(&mut ipvs, id, destination).map_err(failed)?.ok_or_else(gone)?;
    let present = before.destination.weight;
    if present != from {
        return Err(Failure::Outdated(format!(
            "{destination} has weight {present} now, and not {from} as you saw: nothing was changed"
        )));
    }
    let written = ipvs.update_destination(id, &before.destination.weight(to));
    if let Err(error) = &written {
        if error.is_not_found() {
            return Err(gone());
        }
        if error.certainty() != Some(Certainty::Unknown) {
            return Err(failed(error.clone()));
        }
    }
    let done = || Ok(format!("{id} {destination} has weight {to} (before: {from})"));
    let after = read(&mut ipvs, id, destination).map(|it| it.map(|it| it.destination.weight));
    match (written, after) {
        (_, Ok(Some(weight))) if weight == to => done(),
        (Ok(()), Ok(Some(weight))) => Err(Failure::Unknown(format!(
            "{id} {destination} got weight {to}, and then {weight} by another program"
        ))),
        (Ok(()), Err(_)) => done(),
        (_, Ok(None)) => Err(gone()),
        (Err(error), Ok(Some(weight))) if weight == from => Err(failed(error)),
        (Err(error), _) => Err(Failure::Unknown(format!(
            "it is not known whether the weight was written: {error}"
        ))),
    }
}

fn read(
    ipvs: &mut Client,
    id: ServiceId,
    destination: DestinationId,
) -> Result<Option<DestinationEntry>> {
    match ipvs.snapshot_of(&[id]) {
        Ok(snapshot) => {
            let service = snapshot.service(id);
            Ok(service.and_then(|it| it.destination(destination)).cloned())
        }
        Err(error) if error.kind() == ErrorKind::NoSuchService => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the counters of a service to 0.
pub(super) fn zero(source: &Source, id: ServiceId) -> std::result::Result<String, Failure> {
    let zeroed = source.connect().and_then(|mut ipvs| ipvs.zero_service(id));
    zeroed.map_err(|error| match error.certainty() {
        Some(Certainty::Unknown) => Failure::Unknown(error.to_string()),
        _ => Failure::Unchanged(error.to_string()),
    })?;
    Ok(format!("the counters of {id} are 0"))
}
