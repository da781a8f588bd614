use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{ObjectName, VirtualService};
use ipvs_netlink::table::TableService;

/// What the controller is to do.
#[derive(Debug)]
pub(crate) struct Wished {
    /// The virtual services that are wished, with their services.
    pub(super) set: Vec<(ServiceId, ObjectName)>,
    pub(super) forgotten: Vec<ServiceId>,
    /// The virtual services that are to be wished later.
    pub(super) held: Vec<ServiceId>,
    /// The virtual services that are not to be wished.
    pub(super) refused: Vec<ServiceId>,
    /// The virtual services that the cluster has no more, and that were not wished.
    pub(super) dropped: Vec<ServiceId>,
    /// Others are to be wished later.
    pub(super) holds: bool,
}

impl Wished {
    pub(crate) fn of(
        wishes: &[(TableService, VirtualService)],
        forgotten: &[ServiceId],
        holds: bool,
    ) -> Self {
        let set = wishes.iter().map(|(service, facts)| (service.id(), facts.service.clone()));
        Self {
            set: set.collect(),
            forgotten: forgotten.to_owned(),
            held: Vec::new(),
            refused: Vec::new(),
            dropped: Vec::new(),
            holds,
        }
    }

    /// Adds the virtual services that wait, those that are refused, and those that are gone and were not wished.
    pub(crate) fn unwished(
        self,
        held: Vec<ServiceId>,
        refused: Vec<ServiceId>,
        dropped: Vec<ServiceId>,
    ) -> Self {
        Self { held, refused, dropped, ..self }
    }
}
