//! Services and their identities: the nest `IPVS_CMD_ATTR_SERVICE`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use netlink_packet_core::{NLA_F_NESTED, NLA_HEADER_SIZE};

use crate::model::{
    AddressFamily, Netmask, Persistence, PersistenceEngine, Protocol, Scheduler, Service,
    ServiceEntry, ServiceFlags, ServiceId, seconds,
};
use crate::uapi::*;
use crate::wire::layout::{self, Place};
use crate::wire::{Attributes, Block, Malformed, Put, Writer, scalar, stats};

/// Writes a nest that has only the identity.
#[inline]
pub(crate) fn encode_id(writer: &mut Writer<'_>, id: &ServiceId) {
    match id {
        ServiceId::Address { protocol, address } => {
            writer.block::<48>(|block| put_address_nest(block, *protocol, address));
        }
        ServiceId::Fwmark { mark, .. } => writer.block::<20>(|block| {
            block.header(20, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED);
            block.raw(fwmark_id(scalar::family_number(id.family()), *mark));
        }),
    }
}

/// Writes a nest that has only the identity of a service with an address: 48 bytes.
#[inline(always)]
pub(super) fn put_address_nest(into: &mut impl Put, protocol: Protocol, address: &SocketAddr) {
    into.header(48, IPVS_CMD_ATTR_SERVICE | NLA_F_NESTED);
    put_address_id(into, protocol, address);
}

/// Writes the nest with identity and settings. The kernel requires all settings, in additions and
/// in updates.
pub(crate) fn encode(writer: &mut Writer<'_>, service: &Service) {
    writer.nest(IPVS_CMD_ATTR_SERVICE, |writer| put_service(writer, service));
}

/// Writes the identity of a service with an address: 44 bytes.
#[inline(always)]
fn put_address_id(into: &mut impl Put, protocol: Protocol, address: &SocketAddr) {
    let family = if address.is_ipv4() { AF_INET } else { AF_INET6 };
    into.u16(IPVS_SVC_ATTR_AF, family);
    into.u16(IPVS_SVC_ATTR_PROTOCOL, protocol.number());
    into.sixteen(IPVS_SVC_ATTR_ADDR, scalar::address_field(address));
    into.u16_be(IPVS_SVC_ATTR_PORT, address.port());
}

#[inline]
fn fwmark_id(family: u16, mark: u32) -> [u8; 16] {
    Block::filled(|block| {
        block.u16(IPVS_SVC_ATTR_AF, family);
        block.u32(IPVS_SVC_ATTR_FWMARK, mark);
    })
}

pub(super) fn put_service(writer: &mut Writer<'_>, service: &Service) {
    let persistence = service.persistence;
    let persistent = if persistence.is_some() { IP_VS_SVC_F_PERSISTENT } else { 0 };
    let timeout = persistence.map_or(0, |persistence| seconds::number(persistence.timeout));
    let [f0, f1, f2, f3] = (service.flags.bits() | persistent).to_ne_bytes();

    match service.id {
        ServiceId::Address { protocol, address } => {
            writer.block::<44>(|block| put_address_id(block, protocol, &address));
        }
        ServiceId::Fwmark { mark, .. } => {
            writer.raw(fwmark_id(scalar::family_number(service.id.family()), mark));
        }
    }
    writer.string(IPVS_SVC_ATTR_SCHED_NAME, service.scheduler.as_bytes());
    let netmask =
        match (persistence.and_then(|persistence| persistence.netmask), service.id.family()) {
            (Some(Netmask::Ipv4(mask)), _) => mask.octets(),
            (Some(Netmask::Ipv6Prefix(length)), _) => u32::from(length).to_ne_bytes(),
            (None, AddressFamily::Ipv4) => Ipv4Addr::BROADCAST.octets(),
            (None, AddressFamily::Ipv6) => 128_u32.to_ne_bytes(),
        };
    writer.block::<28>(|block| {
        // The mask selects the flags that the kernel sets: all of them.
        block.eight(IPVS_SVC_ATTR_FLAGS, [f0, f1, f2, f3, 0xff, 0xff, 0xff, 0xff]);
        block.u32(IPVS_SVC_ATTR_TIMEOUT, timeout);
        block.four(IPVS_SVC_ATTR_NETMASK, netmask);
    });
    if let Some(engine) = persistence.and_then(|persistence| persistence.engine) {
        writer.string(IPVS_SVC_ATTR_PE_NAME, engine.as_bytes());
    }
}

/// The attributes of the nest, as they were read.
#[derive(Default)]
struct Fields<'a> {
    family: Option<&'a [u8]>,
    protocol: Option<&'a [u8]>,
    address: Option<&'a [u8]>,
    port: Option<&'a [u8]>,
    fwmark: Option<&'a [u8]>,
    scheduler: Option<&'a [u8]>,
    flags: Option<&'a [u8]>,
    timeout: Option<&'a [u8]>,
    netmask: Option<&'a [u8]>,
    engine: Option<&'a [u8]>,
    stats: Option<&'a [u8]>,
    stats64: Option<&'a [u8]>,
}

/// The layout of a service with an address and without a persistence engine, in Linux 4.1 and
/// later on machines that need no alignment: these attributes, then the name of the scheduler, then
/// [`AFTER_NAME`] and [`COUNTERS`].
const BEFORE_NAME: [Place; 4] = [
    (0, 2, IPVS_SVC_ATTR_AF),
    (8, 2, IPVS_SVC_ATTR_PROTOCOL),
    (16, 16, IPVS_SVC_ATTR_ADDR),
    (36, 2, IPVS_SVC_ATTR_PORT),
];
const AFTER_NAME: [Place; 5] = [
    (0, 8, IPVS_SVC_ATTR_FLAGS),
    (12, 4, IPVS_SVC_ATTR_TIMEOUT),
    (20, 4, IPVS_SVC_ATTR_NETMASK),
    (28, 88, IPVS_SVC_ATTR_STATS),
    (120, 120, IPVS_SVC_ATTR_STATS64),
];
const COUNTERS: [Place; 10] = layout::moved(stats::LAYOUT, 124);

/// Reads the nest.
#[inline]
pub(crate) fn decode(nest: &[u8]) -> Result<ServiceEntry, Malformed> {
    match from_layout(nest) {
        Some(entry) => Ok(entry),
        None => decode_any(nest),
    }
}

/// Reads a nest that has the usual layout.
#[inline]
fn from_layout(nest: &[u8]) -> Option<ServiceEntry> {
    let head: &[u8; 44] = nest.first_chunk()?;
    let (kind, name) = Attributes::new(nest.get(44..)?).next()?.ok()?;
    let rest = 44 + (NLA_HEADER_SIZE + name.len()).next_multiple_of(4);
    let tail: &[u8; 244] = nest.get(rest..)?.try_into().ok()?;
    let fits = layout::fits(head, &BEFORE_NAME)
        & (kind == IPVS_SVC_ATTR_SCHED_NAME)
        & layout::fits(tail, &AFTER_NAME)
        & layout::fits(tail, &COUNTERS);
    if !fits {
        return None;
    }
    let fields = Fields {
        scheduler: Some(name),
        flags: tail.get(4..12),
        timeout: tail.get(16..20),
        netmask: tail.get(24..28),
        ..Fields::named(head)
    };
    Some(ServiceEntry { service: fields.service().ok()?, stats: stats::decode_layout(tail, 124) })
}

/// Reads a nest with the attributes in any order.
#[cold]
fn decode_any(nest: &[u8]) -> Result<ServiceEntry, Malformed> {
    let mut fields = Fields::default();
    for attribute in Attributes::new(nest) {
        let (kind, value) = attribute?;
        let field = match kind {
            IPVS_SVC_ATTR_AF => &mut fields.family,
            IPVS_SVC_ATTR_PROTOCOL => &mut fields.protocol,
            IPVS_SVC_ATTR_ADDR => &mut fields.address,
            IPVS_SVC_ATTR_PORT => &mut fields.port,
            IPVS_SVC_ATTR_FWMARK => &mut fields.fwmark,
            IPVS_SVC_ATTR_SCHED_NAME => &mut fields.scheduler,
            IPVS_SVC_ATTR_FLAGS => &mut fields.flags,
            IPVS_SVC_ATTR_TIMEOUT => &mut fields.timeout,
            IPVS_SVC_ATTR_NETMASK => &mut fields.netmask,
            IPVS_SVC_ATTR_PE_NAME => &mut fields.engine,
            IPVS_SVC_ATTR_STATS => &mut fields.stats,
            IPVS_SVC_ATTR_STATS64 => &mut fields.stats64,
            _ => continue,
        };
        *field = Some(value);
    }
    let stats = stats::decode_either(fields.stats, fields.stats64)?;
    Ok(ServiceEntry { service: fields.service()?, stats })
}

/// Reads the identity from the nest. Kernels write the identity first, so this stops after it.
#[inline]
pub(crate) fn decode_id(nest: &[u8]) -> Result<ServiceId, Malformed> {
    match id_from_layout(nest) {
        Some(id) => Ok(id),
        None => decode_any_id(nest),
    }
}

/// Reads the identity from a nest that has the usual layout up to the scheduler's name.
#[inline]
fn id_from_layout(nest: &[u8]) -> Option<ServiceId> {
    let head: &[u8; 44] = nest.first_chunk()?;
    let (kind, _) = Attributes::new(nest.get(44..)?).next()?.ok()?;
    let fits = layout::fits(head, &BEFORE_NAME) & (kind == IPVS_SVC_ATTR_SCHED_NAME);
    if fits { Fields::named(head).id().ok() } else { None }
}

/// Reads the identity from a nest with the attributes in any order.
#[cold]
fn decode_any_id(nest: &[u8]) -> Result<ServiceId, Malformed> {
    let mut fields = Fields::default();
    for attribute in Attributes::new(nest) {
        let (kind, value) = attribute?;
        let field = match kind {
            IPVS_SVC_ATTR_AF => &mut fields.family,
            IPVS_SVC_ATTR_PROTOCOL => &mut fields.protocol,
            IPVS_SVC_ATTR_ADDR => &mut fields.address,
            IPVS_SVC_ATTR_PORT => &mut fields.port,
            IPVS_SVC_ATTR_FWMARK => &mut fields.fwmark,
            _ => match fields.id() {
                Ok(id) => return Ok(id),
                Err(_) => continue,
            },
        };
        *field = Some(value);
    }
    fields.id()
}

impl<'a> Fields<'a> {
    /// Returns the identity, from attributes in the layout of [`BEFORE_NAME`].
    #[inline]
    fn named(head: &'a [u8; 44]) -> Self {
        Self {
            family: head.get(4..6),
            protocol: head.get(12..14),
            address: head.get(20..36),
            port: head.get(40..42),
            ..Self::default()
        }
    }

    fn service(&self) -> Result<Service, Malformed> {
        let id = self.id()?;
        let scheduler = self
            .scheduler
            .and_then(Scheduler::reported)
            .ok_or("a service without a scheduler name that fits")?;
        let word = scalar::u32(self.flags.ok_or("a service without flags")?)?;
        let persistent = word & IP_VS_SVC_F_PERSISTENT != 0;
        let mut service = Service::new(id).scheduler(scheduler).flags(ServiceFlags::reported(word));
        service.persistence = persistent.then(|| self.persistence(id.family())).transpose()?;
        Ok(service)
    }

    fn id(&self) -> Result<ServiceId, Malformed> {
        let family = scalar::family(self.family.ok_or("a service without an address family")?)?;
        if let Some(value) = self.fwmark {
            return Ok(ServiceId::fwmark(scalar::u32(value)?, family));
        }
        let protocol = scalar::u16(self.protocol.ok_or("a service without a protocol")?)?;
        let address = self.address.ok_or("a service without an address")?;
        let port = self.port.ok_or("a service without a port")?;
        let address = SocketAddr::new(scalar::address(family, address)?, scalar::u16_be(port)?);
        Ok(ServiceId::Address { protocol: Protocol::from_number(protocol), address })
    }

    fn persistence(&self, family: AddressFamily) -> Result<Persistence, Malformed> {
        let timeout = scalar::u32(self.timeout.ok_or("a service without a timeout")?)?;
        let mut persistence = Persistence::new(Duration::from_secs(timeout.into()));
        let netmask = self.netmask.ok_or("a service without a netmask")?;
        persistence = match family {
            AddressFamily::Ipv4 => persistence.netmask(scalar::ipv4(netmask)?),
            AddressFamily::Ipv6 => {
                let length = u8::try_from(scalar::u32(netmask)?);
                persistence.prefix(length.map_err(|_| "a prefix length is out of range")?)
            }
        };
        persistence.engine = self.engine.and_then(PersistenceEngine::reported);
        Ok(persistence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A nest of that layout in which all numbers differ.
    fn nest(family: u16, name: &[u8]) -> Vec<u8> {
        let mut nest: Vec<u8> = Vec::new();
        let put = |nest: &mut Vec<u8>, kind: u16, value: &[u8]| {
            nest.extend(u16::try_from(4 + value.len()).unwrap().to_ne_bytes());
            nest.extend(kind.to_ne_bytes());
            nest.extend(value);
            nest.resize(nest.len().next_multiple_of(4), 0);
        };
        put(&mut nest, IPVS_SVC_ATTR_AF, &family.to_ne_bytes());
        put(&mut nest, IPVS_SVC_ATTR_PROTOCOL, &6_u16.to_ne_bytes());
        put(&mut nest, IPVS_SVC_ATTR_ADDR, &[7; 16]);
        put(&mut nest, IPVS_SVC_ATTR_PORT, &80_u16.to_be_bytes());
        put(&mut nest, IPVS_SVC_ATTR_SCHED_NAME, name);
        put(&mut nest, IPVS_SVC_ATTR_FLAGS, &[1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
        put(&mut nest, IPVS_SVC_ATTR_TIMEOUT, &300_u32.to_ne_bytes());
        put(&mut nest, IPVS_SVC_ATTR_NETMASK, &24_u32.to_ne_bytes());
        put(&mut nest, IPVS_SVC_ATTR_STATS, &[8; 88]);
        let mut counters = Vec::new();
        for (_, _, kind) in stats::LAYOUT {
            put(&mut counters, kind, &(u64::from(kind) * 0x0101_0101).to_ne_bytes());
        }
        put(&mut nest, IPVS_SVC_ATTR_STATS64, &counters);
        nest
    }

    #[test]
    fn the_short_cut_reads_what_the_long_way_reads() {
        for (family, name) in [(AF_INET, &b"rr\0"[..]), (AF_INET6, b"wlc\0"), (AF_INET, b"lblcr\0")]
        {
            let nest = nest(family, name);
            assert!(from_layout(&nest).is_some());
            assert_eq!(from_layout(&nest), decode_any(&nest).ok());
            assert!(id_from_layout(&nest).is_some());
            assert_eq!(id_from_layout(&nest), decode_any_id(&nest).ok());
            for (offset, bit) in
                (0..nest.len()).flat_map(|offset| [1, 4, 16, 128].map(|bit| (offset, bit)))
            {
                let mut changed = nest.clone();
                changed[offset] ^= bit;
                assert_eq!(decode(&changed), decode_any(&changed), "byte {offset}");
                assert_eq!(decode_id(&changed), decode_any_id(&changed), "byte {offset}");
            }
            for length in 0..nest.len() {
                let cut = &nest[..length];
                assert_eq!(decode(cut), decode_any(cut), "{length} bytes");
                assert_eq!(decode_id(cut), decode_any_id(cut), "{length} bytes");
            }
        }
    }
}
