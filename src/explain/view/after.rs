//! What a view is after a change of its service.

use crate::explain::View;
use crate::model::{Change, Connections, DestinationEntry, DestinationId, Stats};

impl View {
    /// Returns the view as it will be after a change of the service or its destinations. Other
    /// changes, and those that the kernel would refuse, change nothing.
    ///
    /// The kernel puts a new destination before the others.
    #[must_use]
    pub fn after(&self, change: &Change) -> Self {
        let mut after = self.clone();
        let Some(service) = &mut after.service else { return after };
        let at = |id: DestinationId| self.destinations.iter().position(|entry| entry.id() == id);
        match change {
            Change::UpdateService(new) if new.id == service.id => *service = new.clone(),
            Change::DeleteService(id) if *id == service.id => {
                after.service = None;
                after.destinations.clear();
            }
            Change::Flush => {
                after.service = None;
                after.destinations.clear();
            }
            Change::AddDestination(id, new) if *id == service.id && at(new.id).is_none() => {
                let entry =
                    DestinationEntry::new(new.clone(), Connections::default(), Stats::default());
                after.last_weights.insert(new.id, new.weight);
                after.overloads.remove(&new.id);
                after.destinations.insert(0, entry);
            }
            Change::UpdateDestination(id, new) if *id == service.id => {
                let entry = at(new.id).and_then(|at| after.destinations.get_mut(at));
                if let Some(entry) = entry {
                    let weight = entry.destination.weight;
                    if new.weight == 0 && weight != 0 {
                        after.last_weights.insert(new.id, weight);
                    }
                    let (former, upper) = (entry.destination.thresholds, new.thresholds.upper);
                    if upper == 0 || upper > former.upper {
                        after.overloads.remove(&new.id);
                    }
                    entry.destination = new.clone();
                }
            }
            Change::DeleteDestination(id, gone) if *id == service.id => {
                after.destinations.retain(|entry| entry.id() != *gone);
                after.last_weights.remove(gone);
                after.overloads.remove(gone);
            }
            _ => {}
        }
        after
    }
}
