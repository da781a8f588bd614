//! Maps of services.

use crate::hashing::{Map, Set};
use crate::model::ServiceId;

/// What belongs to services, by their ids. A look-up costs the same however many there are. The ids
/// have no order: see [`in_order`].
pub(super) type ByService<V> = Map<ServiceId, V>;

/// The ids of some services.
pub(super) type Services = Set<ServiceId>;

/// Sorts ids, so that the same wishes give the same tasks and events.
pub(super) fn in_order(ids: impl Iterator<Item = ServiceId>) -> Vec<ServiceId> {
    let mut ids: Vec<ServiceId> = ids.collect();
    ids.sort_unstable_by(ServiceId::cmp);
    ids
}
