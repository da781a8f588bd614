use crate::fake::Errno;
use crate::fake::netlink::attributes::{Attributes, Kind};
use crate::fake::table::destination::DestinationSettings;
use crate::fake::table::key::{Address, DestinationKey};
use crate::uapi::{
    AF_INET, AF_INET6, IP_VS_CONN_F_FWD_MASK, IPVS_DEST_ATTR_ADDR, IPVS_DEST_ATTR_ADDR_FAMILY,
    IPVS_DEST_ATTR_FWD_METHOD, IPVS_DEST_ATTR_L_THRESH, IPVS_DEST_ATTR_PORT,
    IPVS_DEST_ATTR_TUN_FLAGS, IPVS_DEST_ATTR_TUN_PORT, IPVS_DEST_ATTR_TUN_TYPE,
    IPVS_DEST_ATTR_U_THRESH, IPVS_DEST_ATTR_WEIGHT,
};

/// Source: `ip_vs_ctl.c:ip_vs_dest_policy`.
const POLICY: [Kind; 16] = [
    Kind::Any,
    Kind::Binary(16),
    Kind::U16,
    Kind::U32,
    Kind::U32,
    Kind::U32,
    Kind::U32,
    Kind::U32,
    Kind::U32,
    Kind::U32,
    Kind::Nested,
    Kind::U16,
    Kind::Any,
    Kind::U8,
    Kind::U16,
    Kind::U16,
];

/// The attributes of a destination.
#[derive(Debug)]
pub(in crate::fake) struct DestinationRequest {
    /// 0 is the family of the service.
    family: u16,
    address: [u8; 16],
    port: u16,
    pub(in crate::fake) settings: Option<DestinationSettings>,
}

impl DestinationRequest {
    /// Source: `ip_vs_ctl.c:ip_vs_genl_parse_dest`.
    pub(in crate::fake) fn parse(nest: Option<&[u8]>, full: bool) -> Result<Self, Errno> {
        let nest = nest.ok_or(Errno::INVAL)?;
        let attributes = Attributes::parse(nest, 0, &POLICY).map_err(|_| Errno::INVAL)?;
        let address = attributes.filled(IPVS_DEST_ATTR_ADDR).ok_or(Errno::INVAL)?;
        let port = attributes.port(IPVS_DEST_ATTR_PORT).ok_or(Errno::INVAL)?;
        let number = |kind| attributes.u32(kind).ok_or(Errno::INVAL);
        let settings = || -> Result<_, Errno> {
            Ok(DestinationSettings {
                method: number(IPVS_DEST_ATTR_FWD_METHOD)? & IP_VS_CONN_F_FWD_MASK,
                weight: number(IPVS_DEST_ATTR_WEIGHT)?,
                upper: number(IPVS_DEST_ATTR_U_THRESH)?,
                lower: number(IPVS_DEST_ATTR_L_THRESH)?,
                tunnel_type: attributes.u8(IPVS_DEST_ATTR_TUN_TYPE).unwrap_or(0),
                tunnel_port: attributes.port(IPVS_DEST_ATTR_TUN_PORT).unwrap_or(0),
                tunnel_flags: attributes.u16(IPVS_DEST_ATTR_TUN_FLAGS).unwrap_or(0),
            })
        };
        Ok(Self {
            family: attributes.u16(IPVS_DEST_ATTR_ADDR_FAMILY).unwrap_or(0),
            address,
            port,
            settings: full.then(settings).transpose()?,
        })
    }

    /// The identity in a service of a family.
    pub(in crate::fake) fn key(&self, service: u16) -> Result<DestinationKey, Errno> {
        let family = match self.family {
            0 => service,
            family @ (AF_INET | AF_INET6) => family,
            _ => return Err(Errno::AFNOSUPPORT),
        };
        Ok(DestinationKey { family, port: self.port, address: Address::new(family, self.address) })
    }
}
