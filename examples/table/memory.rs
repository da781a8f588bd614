//! What `apply --watch` remembers from one version of the file to the next.

use ipvs_netlink::Service;
use ipvs_netlink::table::controller::Controller;
use ipvs_netlink::table::{DrainedWeights, Table, TableService};

/// What earlier versions of the file have left in the kernel.
#[derive(Default)]
pub(crate) struct Memory {
    /// The services of these versions. They leave when the file no longer names them.
    pub(crate) formerly: Table,
    /// The weights of the destinations that drain. They come back if the file names them again.
    pub(crate) weights: DrainedWeights,
}

impl Memory {
    /// Returns what a controller would do with another version.
    pub(crate) fn of(controller: &Controller) -> Self {
        let owned = controller.owned().map(|id| TableService::new(Service::new(id)));
        let weights = controller.options().plan.drained_weights.clone();
        Self { formerly: owned.collect(), weights }
    }
}
