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

const NO_OTHER: &str = "No other destination takes clients: new ones are refused.";

/// Whether others take new connections.
fn serves_without(service: &ServiceSnapshot, destination: DestinationId) -> bool {
    let mut others = service.destinations.iter().filter(|it| it.id() != destination);
    others.any(|it| {
        let availability = Availability::of(&it.destination, it.connections);
        !matches!(availability, Availability::Quiesced | Availability::Overloaded)
    })
}
