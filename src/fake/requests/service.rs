use crate::fake::Errno;
use crate::fake::netlink::attributes::{Attributes, Kind};
use crate::fake::table::key::{Address, ServiceKey, TCP};
use crate::fake::table::service::ServiceSettings;
use crate::uapi::{
    AF_INET, AF_INET6, IP_VS_PENAME_MAXLEN, IP_VS_SCHEDNAME_MAXLEN, IPVS_SVC_ATTR_ADDR,
    IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FLAGS, IPVS_SVC_ATTR_FWMARK, IPVS_SVC_ATTR_NETMASK,
    IPVS_SVC_ATTR_PE_NAME, IPVS_SVC_ATTR_PORT, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_SCHED_NAME,
    IPVS_SVC_ATTR_TIMEOUT,
};

/// Source: `ip_vs_ctl.c:ip_vs_svc_policy`.
const POLICY: [Kind; 13] = [
    Kind::Any,
    Kind::U16,
    Kind::U16,
    Kind::Binary(16),
    Kind::U16,
    Kind::U32,
    Kind::Text(IP_VS_SCHEDNAME_MAXLEN),
    Kind::Binary(8),
    Kind::U32,
    Kind::U32,
    Kind::Nested,
    Kind::Text(IP_VS_PENAME_MAXLEN),
    Kind::Any,
];

/// The attributes of a service.
#[derive(Debug)]
pub(in crate::fake) struct ServiceRequest<'m> {
    pub(in crate::fake) key: ServiceKey,
    attributes: Attributes<'m, 13>,
}

impl<'m> ServiceRequest<'m> {
    /// Reads the identity. Source: `ip_vs_ctl.c:ip_vs_genl_parse_service`.
    pub(in crate::fake) fn parse(space: usize, nest: Option<&'m [u8]>) -> Result<Self, Errno> {
        let nest = nest.ok_or(Errno::INVAL)?;
        let attributes = Attributes::parse(nest, 0, &POLICY).map_err(|_| Errno::INVAL)?;
        let family = attributes.u16(IPVS_SVC_ATTR_AF).ok_or(Errno::INVAL)?;
        let mark = attributes.u32(IPVS_SVC_ATTR_FWMARK);
        let place = attributes
            .u16(IPVS_SVC_ATTR_PROTOCOL)
            .zip(attributes.filled::<16>(IPVS_SVC_ATTR_ADDR))
            .zip(attributes.port(IPVS_SVC_ATTR_PORT));
        if mark.is_none() && place.is_none() {
            return Err(Errno::INVAL);
        }
        if !matches!(family, AF_INET | AF_INET6) {
            return Err(Errno::AFNOSUPPORT);
        }
        let key = match (mark, place) {
            (None, Some(((protocol, address), port))) => {
                let address = Address::new(family, address);
                ServiceKey { space, family, protocol, port, mark: 0, address }
            }
            (mark, _) => ServiceKey {
                space,
                family,
                protocol: TCP,
                port: 0,
                mark: mark.unwrap_or(0),
                address: Address::default(),
            },
        };
        Ok(Self { key, attributes })
    }

    /// Reads the settings, which must be complete.
    pub(in crate::fake) fn settings(&self) -> Result<ServiceSettings<'m>, Errno> {
        let attributes = &self.attributes;
        let scheduler = attributes.text(IPVS_SVC_ATTR_SCHED_NAME);
        let flags = attributes.filled::<8>(IPVS_SVC_ATTR_FLAGS);
        let timeout = attributes.u32(IPVS_SVC_ATTR_TIMEOUT);
        let netmask = attributes.filled::<4>(IPVS_SVC_ATTR_NETMASK);
        let [a, b, c, d, mask @ ..] = flags.ok_or(Errno::INVAL)?;
        Ok(ServiceSettings {
            scheduler: scheduler.ok_or(Errno::INVAL)?,
            engine: attributes.text(IPVS_SVC_ATTR_PE_NAME).unwrap_or_default(),
            flags: u32::from_ne_bytes([a, b, c, d]),
            mask: u32::from_ne_bytes(mask),
            timeout: timeout.ok_or(Errno::INVAL)?,
            netmask: netmask.ok_or(Errno::INVAL)?,
        })
    }
}
