//! The first promise: a service that had a usable destination, and is to have one, never passes
//! through none by our doing.

use std::collections::BTreeMap;

use ipvs_netlink::{Change, Connections, ServiceId};

use crate::judge::knowledge::{Present, Server, objects, refuses_at_zero};
use crate::judge::{Case, Verdict};

/// Judges a list of changes that are about to be written.
pub(crate) fn judge(case: &Case<'_>, writes: &[Change]) -> Verdict {
    let mut services: BTreeMap<ServiceId, Vec<&Change>> = BTreeMap::new();
    for write in writes {
        if let (Some(id), _) = objects(write) {
            services.entry(id).or_default().push(write);
        }
    }
    for (id, changes) in services {
        nothing_wished_is_deleted(case, id, &changes)?;
        let Some(before) = case.knowledge.present(id) else { continue };
        if !before.is_usable() || !case.wishes.is_to_serve(case.options, id, Some(before)) {
            continue;
        }
        stays_usable(before, id, &changes)?;
        if !refuses(before, true) && wish_is_gentle(case, id) {
            stays_gentle(before, id, &changes)?;
        }
    }
    Ok(())
}

fn nothing_wished_is_deleted(case: &Case<'_>, id: ServiceId, changes: &[&Change]) -> Verdict {
    for change in changes {
        let wished = match change {
            // A service to which no destination could be added may be taken back.
            Change::DeleteService(id) => {
                let used = |server: &Server| {
                    server.settings.weight > 0 || server.connections != Connections::default()
                };
                case.wishes.current.contains_key(id)
                    && case
                        .knowledge
                        .present(*id)
                        .is_some_and(|present| present.servers.values().any(used))
            }
            Change::DeleteDestination(id, to) => case.wishes.destination(*id, *to).is_some(),
            _ => false,
        };
        if wished {
            return Err(format!("{id}: deletes what is wished: {change}"));
        }
    }
    Ok(())
}

/// Changes of one task are sent together, so each may fail alone: what is added or raised in the
/// same task does not count.
fn stays_usable(before: &Present, id: ServiceId, changes: &[&Change]) -> Verdict {
    let mut worst = before.clone();
    for change in changes {
        match change {
            Change::DeleteService(_) => worst.servers.clear(),
            Change::DeleteDestination(_, to) => drop(worst.servers.remove(to)),
            Change::UpdateDestination(_, new) if new.weight == 0 => {
                if let Some(server) = worst.servers.get_mut(&new.id) {
                    server.settings.weight = 0;
                }
            }
            _ => {}
        }
        if !worst.servers.values().any(|server| server.settings.weight > 0) {
            return Err(format!(
                "{id} had a usable destination, is to have one, and has none after {change}"
            ));
        }
    }
    Ok(())
}

/// Returns `true` if a client may be refused because its hash selects a destination of weight 0.
/// `doubt` says whether a destination that may be gone, or have another weight, counts.
fn refuses(present: &Present, doubt: bool) -> bool {
    let zero = |server: &Server| match server.sure {
        true => server.settings.weight == 0,
        false => doubt,
    };
    refuses_at_zero(&present.settings) && present.servers.values().any(zero)
}

fn wish_is_gentle(case: &Case<'_>, id: ServiceId) -> bool {
    let Some(wish) = case.wishes.current.get(&id) else { return false };
    let wish = wish.service();
    !refuses_at_zero(wish.service())
        || wish.destinations().all(|wished| wished.weight().is_some_and(|weight| weight > 0))
}

/// The same for schedulers that refuse clients as soon as one destination has weight 0.
fn stays_gentle(before: &Present, id: ServiceId, changes: &[&Change]) -> Verdict {
    let mut after = before.clone();
    for change in changes {
        match change {
            Change::UpdateService(settings) => after.settings = settings.clone(),
            Change::DeleteDestination(_, to) => drop(after.servers.remove(to)),
            Change::AddDestination(_, new) | Change::UpdateDestination(_, new) => {
                let settings = new.clone();
                let connections = Connections::default();
                let server = Server { settings, connections, packets: 0, sure: true };
                after.servers.insert(new.id, server);
            }
            _ => {}
        }
        if refuses(&after, false) {
            return Err(format!("{id}: its scheduler refuses clients after {change}"));
        }
    }
    Ok(())
}
