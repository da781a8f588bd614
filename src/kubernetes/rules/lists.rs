//! The destinations of one port, shared by its virtual services.

use std::sync::Arc;

use crate::kubernetes::Exposure;
use crate::kubernetes::annotations::Settings;
use crate::kubernetes::rules::attributes;
use crate::kubernetes::rules::endpoints::Candidate;
use crate::kubernetes::surroundings::Surroundings;
use crate::model::{Destination, Forwarding};

/// The destinations of one port, shared by its virtual services.
pub(crate) struct Lists<'l> {
    settings: &'l Settings,
    around: &'l Surroundings,
    /// By whether they are the local ones, and whether they are masqueraded.
    made: [Option<Arc<[Destination]>>; 4],
}

impl<'l> Lists<'l> {
    pub(crate) const fn new(settings: &'l Settings, around: &'l Surroundings) -> Self {
        Self { settings, around, made: [None, None, None, None] }
    }

    /// Returns `true` if a virtual service has the endpoints of all nodes.
    pub(crate) const fn has_cluster(&self) -> bool {
        matches!(self.made, [Some(_), ..] | [_, Some(_), ..])
    }

    /// Returns `true` if a virtual service has the local endpoints alone.
    pub(crate) const fn has_local(&self) -> bool {
        matches!(self.made, [.., Some(_)] | [.., Some(_), _])
    }

    pub(crate) fn of(
        &mut self,
        endpoints: &[&Candidate<'_>],
        local: bool,
        exposure: Exposure,
    ) -> Arc<[Destination]> {
        // Endpoints have neither the addresses of nodes nor their ports.
        let forwarding = match exposure {
            Exposure::NodePort => Forwarding::Masquerade,
            _ => self.settings.forwarding,
        };
        let [a, b, c, d] = &mut self.made;
        let made = match (local, forwarding == Forwarding::Masquerade) {
            (false, false) => a,
            (false, true) => b,
            (true, false) => c,
            (true, true) => d,
        };
        let make = || attributes::destinations(endpoints, forwarding, self.settings, self.around);
        Arc::clone(made.get_or_insert_with(make))
    }
}
