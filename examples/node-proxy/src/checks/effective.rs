//! What the table is to hold of a service whose endpoints are checked.

use std::collections::BTreeSet;

use ipvs_netlink::DestinationId;
use ipvs_netlink::table::TableService;
use ipvs_netlink::table::controller::Wish;

/// What the table is to hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Effective {
    pub(super) wish: Wish,
    /// Nobody would be left, and so all are as the conversion gives them.
    pub(super) keeps_all: bool,
}

/// Combines what the conversion gives (`desired`) with what the checks say (`wish`).
///
/// - What the conversion does not give is not there, whatever the checks say.
/// - An endpoint has the weight that the checks give it, and is not there if they do not have it. One whose
///   weight is 0 by the conversion drains, and keeps 0.
/// - Endpoints that serve without checks (`unchecked`) are as the conversion gives them.
/// - If no endpoint is left with a weight, all are as the conversion gives them.
pub(super) fn effective(
    desired: &TableService,
    wish: &Wish,
    unchecked: &BTreeSet<DestinationId>,
) -> Effective {
    let service = TableService::new(desired.service().clone());
    let mut service = service.labelled(desired.labels().clone());
    let (mut wanted, mut served) = (false, false);
    for given in desired.destinations().map(|it| it.destination()) {
        wanted |= given.weight > 0;
        let checked = wish.service().destination(given.id).map(|it| it.destination().weight);
        let weight = match checked {
            _ if given.weight == 0 || unchecked.contains(&given.id) => Some(given.weight),
            checked => checked,
        };
        if let Some(weight) = weight {
            served |= weight > 0;
            service.insert(given.clone().weight(weight));
        }
    }
    if wanted && !served {
        return Effective { wish: Wish::new(desired.clone()), keeps_all: true };
    }
    let dead = desired.destinations().map(|it| it.id()).filter(|id| wish.leaves_at_once(*id));
    let wish = dead.fold(Wish::new(service), Wish::at_once);
    Effective { wish, keeps_all: false }
}
