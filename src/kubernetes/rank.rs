//! Which of several Kubernetes services gets a virtual service.

use crate::kubernetes::virtual_service::Claim;
use crate::kubernetes::{Exposure, Item, ObjectKind, ObjectName, Reason, Skipped, VirtualService};
use crate::model::ServiceId;

/// The place of a claim among all claims to one virtual service. The first one gets it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    exposure: Exposure,
    /// When the Kubernetes service was created. Whoever does not say so comes last.
    created: u64,
    pub(crate) name: ObjectName,
}

impl Rank {
    /// `created` is when the Kubernetes service of the claim was created.
    pub(crate) fn of(claim: &Claim, created: u64) -> Self {
        let VirtualService { exposure, service, .. } = &claim.facts;
        Self { exposure: *exposure, created, name: service.clone() }
    }

    /// Says that this claim lost to that of `by`.
    pub(crate) fn lost(&self, id: ServiceId, by: &ObjectName) -> Skipped {
        let reason = Reason::Claimed { by: by.clone() };
        Skipped::new(ObjectKind::Service, self.name.clone(), Item::VirtualService(id), reason)
    }
}
