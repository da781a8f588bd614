use serde::de::{Error as _, MapAccess};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::model::{
    AddressFamily, Forwarding, InvalidValue, Protocol, Scheduler, Service, ServiceFlags, ServiceId,
};
use crate::table::document::address::{Rest, ServiceAddress};
use crate::table::document::defaults::Shared;
use crate::table::document::destination::DestinationShape;
use crate::table::document::flags::Flags;
use crate::table::document::list::{Element, List};
use crate::table::document::mapping;
use crate::table::document::persistence::Wanted;
use crate::table::document::scalar::{Mark, Unchecked, Weight};
use crate::table::document::written::{Written, given};
use crate::table::{Labels, TableService};

#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape<const OPEN: bool> {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tcp: Option<ServiceAddress<OPEN>>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    udp: Option<ServiceAddress<OPEN>>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    sctp: Option<ServiceAddress<OPEN>>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    fwmark: Option<Mark>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    family: Option<AddressFamily>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    service: Option<ServiceId>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    scheduler: Option<Scheduler>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    flags: Option<Flags>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    persistence: Option<Wanted>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    unchecked: Option<Unchecked>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    forward: Option<Forwarding>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    labels: Option<Labels>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    destinations: Option<List<DestinationShape<OPEN>>>,
}

impl<const OPEN: bool> Shape<OPEN> {
    fn of(service: &TableService) -> Result<Self, InvalidValue> {
        let (id, settings) = (service.id(), service.service());
        id.check_encodable()?;
        let destinations = service
            .destinations()
            .map(|destination| {
                let shape = DestinationShape::of(destination, id)?;
                Ok((shape.id(), shape))
            })
            .collect::<Result<_, _>>()?;
        let Service { scheduler, flags, persistence, .. } = *settings;
        Ok(Self {
            scheduler: (scheduler != Scheduler::default()).then_some(scheduler),
            flags: (!flags.is_empty()).then(|| Flags::new(flags, scheduler)),
            persistence: persistence.map(|persistence| Wanted(Some(persistence))),
            unchecked: settings.validate_settings().is_err().then_some(Unchecked(true)),
            labels: Some(service.labels()).filter(|labels| !labels.is_empty()).cloned(),
            destinations: Some(List(destinations)).filter(|list| !list.0.is_empty()),
            ..Self::of_id(id)
        })
    }

    fn of_id(id: ServiceId) -> Self {
        let bare = Self::default();
        match id {
            ServiceId::Address { protocol: Protocol::TCP, address } => {
                Self { tcp: Some(address.into()), ..bare }
            }
            ServiceId::Address { protocol: Protocol::UDP, address } => {
                Self { udp: Some(address.into()), ..bare }
            }
            ServiceId::Address { protocol: Protocol::SCTP, address } => {
                Self { sctp: Some(address.into()), ..bare }
            }
            ServiceId::Address { .. } => Self { service: Some(id), ..bare },
            ServiceId::Fwmark { mark, family } => {
                let family = Some(family).filter(|family| *family != AddressFamily::Ipv4);
                Self { fwmark: Some(Mark(mark)), family, ..bare }
            }
        }
    }

    fn id(&self, shared: Shared<'_>) -> Result<ServiceId, String> {
        let family = self.family.unwrap_or(AddressFamily::Ipv4);
        let resolve = |address: &Option<ServiceAddress<OPEN>>, protocol| {
            let rest = Rest { port: shared.defaults.port, names: shared.names, protocol };
            address.as_ref().map(|address| address.resolve(rest)).transpose()
        };
        let mut ids = [
            ("tcp", resolve(&self.tcp, Protocol::TCP)?.map(ServiceId::tcp)),
            ("udp", resolve(&self.udp, Protocol::UDP)?.map(ServiceId::udp)),
            ("sctp", resolve(&self.sctp, Protocol::SCTP)?.map(ServiceId::sctp)),
            ("fwmark", self.fwmark.map(|Mark(mark)| ServiceId::fwmark(mark, family))),
            ("service", self.service),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id?)));
        let rule = "must have one of tcp, udp, sctp, fwmark and service";
        let Some((key, id)) = ids.next() else {
            return Err(format!("a service without a name: {rule}"));
        };
        if let Some((other, _)) = ids.next() {
            return Err(format!("service {id} has {key} and {other}: {rule}"));
        }
        if self.family.is_some() && self.fwmark.is_none() {
            return Err(format!("service {id} has family: only fwmark goes with it"));
        }
        id.check_encodable().map_err(|invalid| invalid.to_string())?;
        Ok(id)
    }

    fn service(self, shared: Shared<'_>) -> Result<TableService, String> {
        let defaults = shared.defaults;
        let id = self.id(shared)?;
        let of_service = |reason: String| format!("service {id}: {reason}");
        let scheduler = self.scheduler.or(defaults.scheduler).unwrap_or_default();
        let flags = self.flags.map_or(Ok(ServiceFlags::empty()), |flags| flags.of(scheduler));
        let settings = Service {
            scheduler,
            flags: flags.map_err(|invalid| of_service(invalid.to_string()))?,
            persistence: self.persistence.map_or(defaults.persistence, |Wanted(wanted)| wanted),
            ..Service::new(id)
        };
        if !self.unchecked.is_some_and(|Unchecked(unchecked)| unchecked) {
            settings.validate_settings().map_err(|invalid| of_service(invalid.to_string()))?;
        }
        let mut service = TableService::new(settings).labelled(self.labels.unwrap_or_default());
        for shape in self.destinations.into_iter().flat_map(|list| list.0.into_values()) {
            let weight = defaults.weight.as_ref().map(|Weight(weight)| *weight);
            let forward = self.forward.or(defaults.forward);
            let address = shape.resolve(id, shared).map_err(of_service)?;
            let destination = shape.destination(address, id, forward, weight);
            if service.insert(destination.map_err(of_service)?).is_some() {
                // Written twice, in different forms.
                return Err(of_service(format!("destination {address}: must not be given twice")));
            }
        }
        Ok(service)
    }
}

impl Written for TableService {
    const EXPECTED: &'static str = "a service, a mapping with one of the keys tcp, udp, sctp, \
                                    fwmark and service";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        Self::of_shared(entries, Shared::default())
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shape::<false>::of(self).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Element for TableService {
    type Id = ServiceId;
    type Shared<'s> = Shared<'s>;
    const KIND: &'static str = "service";
    const LIST: &'static str = "services, a list of mappings with one of the keys tcp, udp, sctp, \
                                fwmark and service";

    fn id(&self) -> ServiceId {
        Self::id(self)
    }

    fn of_shared<'de, A: MapAccess<'de>>(entries: A, shared: Shared<'_>) -> Result<Self, A::Error> {
        let service = match shared.defaults.port.is_some() || shared.names.is_some() {
            true => mapping::shape::<Shape<true>, _>(entries)?.service(shared),
            false => mapping::shape::<Shape<false>, _>(entries)?.service(shared),
        };
        service.map_err(A::Error::custom)
    }
}
