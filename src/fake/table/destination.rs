//! Adding, changing and deleting destinations.

use std::time::Duration;

use crate::fake::Errno;
use crate::fake::table::Table;
use crate::fake::table::counters::Counters;
use crate::fake::table::key::DestinationKey;
use crate::fake::table::slab::Slot;
use crate::uapi::{
    AF_INET6, IP_VS_CONN_F_FWD_MASK, IP_VS_CONN_F_TUNNEL, IP_VS_CONN_F_TUNNEL_TYPE_GUE,
};

/// A destination, of a service or in the trash.
#[derive(Debug)]
pub(in crate::fake) struct Destination {
    pub(in crate::fake) key: DestinationKey,
    pub(in crate::fake) settings: DestinationSettings,
    /// Active, inactive, and of persistence.
    pub(in crate::fake) connections: [u32; 3],
    pub(in crate::fake) counters: Option<Box<Counters>>,
    /// The serial number of the last service that had it.
    pub(super) service: u64,
    /// Which destination of all that there have been.
    pub(super) serial: u64,
    /// Since when nothing used it in the trash.
    pub(super) idle_since: Option<Duration>,
}

/// The settings in a request.
#[derive(Clone, Copy, Debug)]
pub(in crate::fake) struct DestinationSettings {
    pub(in crate::fake) method: u32,
    pub(in crate::fake) weight: u32,
    pub(in crate::fake) upper: u32,
    pub(in crate::fake) lower: u32,
    pub(in crate::fake) tunnel_type: u8,
    pub(in crate::fake) tunnel_port: u16,
    pub(in crate::fake) tunnel_flags: u16,
}

impl Table {
    /// Checks what the kernel checks before it looks for a destination.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_genl_set_cmd` and `ip_vs_add_dest`.
    fn check_settings(
        &self,
        service: Slot,
        key: DestinationKey,
        settings: &DestinationSettings,
    ) -> Result<(), Errno> {
        let service = self.services.get(service).ok_or(Errno::SRCH)?.key;
        if key.family != service.family {
            let has_daemon = self.spaces.get(service.space).is_some_and(|it| it.has_daemon());
            if has_daemon || settings.method & IP_VS_CONN_F_FWD_MASK != IP_VS_CONN_F_TUNNEL {
                return Err(Errno::INVAL);
            }
        }
        if settings.weight > i32::MAX.unsigned_abs() || settings.lower > settings.upper {
            return Err(Errno::RANGE);
        }
        let limited = self.version.limits_upper_threshold();
        if limited && settings.upper > i32::MAX.unsigned_abs() {
            return Err(Errno::INVAL);
        }
        if settings.tunnel_type == IP_VS_CONN_F_TUNNEL_TYPE_GUE && settings.tunnel_port == 0 {
            return Err(Errno::INVAL);
        }
        Ok(())
    }

    pub(in crate::fake) fn add_destination(
        &mut self,
        service: Slot,
        key: DestinationKey,
        settings: &DestinationSettings,
        now: Duration,
    ) -> Result<(), Errno> {
        self.check_settings(service, key, settings)?;
        if self.find_destination(service, key).is_some() {
            return Err(Errno::EXIST);
        }
        let slot = match self.take_from_trash(service, key, now) {
            Some(slot) => slot,
            None => {
                self.check_address(service, key)?;
                self.born += 1;
                self.destinations.insert(Destination {
                    key,
                    settings: *settings,
                    connections: [0; 3],
                    counters: None,
                    service: 0,
                    serial: self.born,
                    idle_since: None,
                })
            }
        };
        let Some(owner) = self.services.get_mut(service) else { return Err(Errno::SRCH) };
        owner.destinations.push(slot);
        let (serial, family, space) = (owner.serial, owner.key.family, owner.key.space);
        if let Some(destination) = self.destinations.get_mut(slot) {
            destination.service = serial;
            destination.settings = masked(settings);
        }
        self.by_destination.insert((service, key), slot);
        if family != key.family {
            if let Some(space) = self.space(space) {
                space.mixed += 1;
            }
        }
        Ok(())
    }

    /// Checks the address of a new destination.
    ///
    /// Source: `ip_vs_ctl.c:ip_vs_new_dest` and `addrconf_core.c:__ipv6_addr_type`.
    fn check_address(&self, service: Slot, key: DestinationKey) -> Result<(), Errno> {
        let space = self.services.get(service).map(|service| service.key.space);
        let space = space.and_then(|space| self.spaces.get(space)).ok_or(Errno::SRCH)?;
        let bytes = key.address.bytes();
        let usable = match (key.family, bytes) {
            (AF_INET6, [0xff, ..]) => false,
            // Link-local.
            (AF_INET6, [0xfe, low, ..]) if low & 0xc0 == 0x80 => false,
            // Unspecified, or IPv4 as IPv6.
            (AF_INET6, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, rest @ ..]) => {
                rest != [0; 6] && !matches!(rest, [0xff, 0xff, ..])
            }
            (AF_INET6, _) => true,
            (_, [a, b, c, d, ..]) => space.interfaces.is_unicast(u32::from_be_bytes([a, b, c, d])),
        };
        if usable { Ok(()) } else { Err(Errno::INVAL) }
    }

    pub(in crate::fake) fn edit_destination(
        &mut self,
        service: Slot,
        key: DestinationKey,
        settings: &DestinationSettings,
    ) -> Result<(), Errno> {
        self.check_settings(service, key, settings)?;
        let slot = self.find_destination(service, key).ok_or(Errno::NOENT)?;
        let destination = self.destinations.get_mut(slot).ok_or(Errno::NOENT)?;
        destination.settings = masked(settings);
        Ok(())
    }

    pub(in crate::fake) fn delete_destination(
        &mut self,
        service: Slot,
        key: DestinationKey,
        now: Duration,
    ) -> Result<(), Errno> {
        let slot = self.find_destination(service, key).ok_or(Errno::NOENT)?;
        if let Some(service) = self.services.get_mut(service) {
            if let Some(at) = service.destinations.iter().rposition(|other| *other == slot) {
                service.destinations.remove(at);
            }
        }
        self.discard(service, slot, now);
        Ok(())
    }

    /// Moves a destination of a service into the trash.
    pub(super) fn discard(&mut self, service: Slot, slot: Slot, now: Duration) {
        let Some(destination) = self.destinations.get(slot) else { return };
        let key = destination.key;
        self.by_destination.remove(&(service, key));
        self.end_traffic(service, slot, now);
        let Some(owner) = self.services.get(service).map(|service| service.key) else { return };
        if owner.family != key.family {
            if let Some(space) = self.space(owner.space) {
                space.mixed -= 1;
            }
        }
        self.put_into_trash(owner, slot, now);
    }
}

const fn masked(settings: &DestinationSettings) -> DestinationSettings {
    DestinationSettings { method: settings.method & IP_VS_CONN_F_FWD_MASK, ..*settings }
}
