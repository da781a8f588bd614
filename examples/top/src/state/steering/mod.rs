//! Which order carries out what a user wants, and whether it may be given.

mod by_director;
mod circumstances;
mod in_kernel;
mod order;
mod proposal;
mod refusal;

pub(crate) use by_director::seconds;
pub(crate) use circumstances::Circumstances;
pub use order::{DirectorOrder, Order, OrderedWeight, Seen};
pub use proposal::{Errand, Intent, Proposal, Undo};
pub use refusal::{Failure, Refusal};

use ipvs_netlink::explain::Availability;
use ipvs_netlink::{DestinationId, ServiceSnapshot};

use crate::state::director;

const NO_OTHER: &str = "No other destination takes clients: new ones are refused.";

const ONLY_DEAD: &str = "Only dead destinations are left to take clients.";

/// Warns if no live destination takes new connections but this one. `checked` is what the director says of
/// the service.
fn warning(
    service: &ServiceSnapshot,
    destination: DestinationId,
    checked: Option<&director::Service>,
) -> Option<&'static str> {
    let is_dead =
        |id| checked.and_then(|it| it.destination(id)).is_some_and(|it| it.state.is_dead());
    let others = service.destinations.iter().filter(|it| it.id() != destination);
    let mut takers = others.filter(|it| {
        let availability = Availability::of(&it.destination, it.connections);
        !matches!(availability, Availability::Quiesced | Availability::Overloaded)
    });
    let first = takers.next().map(|it| is_dead(it.id()));
    match first {
        None => Some(NO_OTHER),
        Some(true) if takers.all(|it| is_dead(it.id())) => Some(ONLY_DEAD),
        Some(_) => None,
    }
}
