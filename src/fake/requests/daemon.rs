use std::time::Duration;

use crate::fake::Errno;
use crate::fake::netlink::acknowledgement::Reason;
use crate::fake::netlink::attributes::{Attributes, Kind};
use crate::fake::requests::command::TopLevel;
use crate::fake::table::space::{Daemon, Group, Space};
use crate::uapi::{
    IP_VS_IFNAME_MAXLEN, IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_ATTR_DAEMON,
    IPVS_DAEMON_ATTR_MCAST_GROUP, IPVS_DAEMON_ATTR_MCAST_GROUP6, IPVS_DAEMON_ATTR_MCAST_IFN,
    IPVS_DAEMON_ATTR_MCAST_PORT, IPVS_DAEMON_ATTR_MCAST_TTL, IPVS_DAEMON_ATTR_STATE,
    IPVS_DAEMON_ATTR_SYNC_ID, IPVS_DAEMON_ATTR_SYNC_MAXLEN,
};

/// Source: `ip_vs_ctl.c:ip_vs_daemon_policy`.
const POLICY: [Kind; 9] = [
    Kind::Any,
    Kind::U32,
    Kind::Text(IP_VS_IFNAME_MAXLEN),
    Kind::U32,
    Kind::U16,
    Kind::U32,
    Kind::Least(16),
    Kind::U16,
    Kind::U8,
];

/// A daemon to start.
#[derive(Debug)]
pub(in crate::fake) struct DaemonSettings<'m> {
    pub(in crate::fake) state: u32,
    pub(in crate::fake) interface: &'m [u8],
    pub(in crate::fake) sync_id: u32,
    /// 0 is the default.
    pub(in crate::fake) max_length: u16,
    pub(in crate::fake) group: Option<Group>,
    /// 0 is the default.
    pub(in crate::fake) port: u16,
    /// 0 is the default.
    pub(in crate::fake) ttl: u8,
}

/// The attributes of a daemon. This nest is the only one of which errors say more.
#[derive(Debug)]
pub(in crate::fake) struct DaemonRequest<'m>(Attributes<'m, 9>);

impl<'m> DaemonRequest<'m> {
    /// Source: `ip_vs_ctl.c:ip_vs_genl_set_daemon`.
    pub(in crate::fake) fn parse(
        attributes: &TopLevel<'m>,
        reason: &mut Reason,
    ) -> Result<Self, Errno> {
        let nest = attributes.get(IPVS_CMD_ATTR_DAEMON).ok_or(Errno::INVAL)?;
        let base = attributes.value_offset(IPVS_CMD_ATTR_DAEMON);
        match Attributes::parse(nest, base, &POLICY) {
            Ok(daemon) => {
                if daemon.leftover {
                    *reason = Reason::leftover();
                }
                Ok(Self(daemon))
            }
            Err(violation) => {
                *reason = Reason::violation(violation);
                Err(Errno::INVAL)
            }
        }
    }

    pub(in crate::fake) fn state(&self) -> Result<u32, Errno> {
        self.0.u32(IPVS_DAEMON_ATTR_STATE).ok_or(Errno::INVAL)
    }

    /// Source: `ip_vs_ctl.c:ip_vs_genl_new_daemon`.
    pub(in crate::fake) fn settings(&self) -> Result<DaemonSettings<'m>, Errno> {
        let Self(attributes) = self;
        let state = self.state()?;
        let interface = attributes.text(IPVS_DAEMON_ATTR_MCAST_IFN).ok_or(Errno::INVAL)?;
        let sync_id = attributes.u32(IPVS_DAEMON_ATTR_SYNC_ID).ok_or(Errno::INVAL)?;
        let ipv4 = attributes.filled(IPVS_DAEMON_ATTR_MCAST_GROUP).map(Group::Ipv4);
        let ipv6 = || attributes.filled(IPVS_DAEMON_ATTR_MCAST_GROUP6).map(Group::Ipv6);
        Ok(DaemonSettings {
            state,
            interface,
            sync_id,
            max_length: attributes.u16(IPVS_DAEMON_ATTR_SYNC_MAXLEN).unwrap_or(0),
            group: ipv4.or_else(ipv6),
            port: attributes.u16(IPVS_DAEMON_ATTR_MCAST_PORT).unwrap_or(0),
            ttl: attributes.u8(IPVS_DAEMON_ATTR_MCAST_TTL).unwrap_or(0),
        })
    }
}

const DEFAULT_GROUP: Group = Group::Ipv4([224, 0, 0, 81]);
const DEFAULT_PORT: u16 = 8848;
const DEFAULT_TTL: u8 = 1;

impl Space {
    /// Source: `ip_vs_ctl.c:ip_vs_genl_new_daemon` and `ip_vs_sync.c:start_sync_thread`.
    pub(in crate::fake) fn start_daemon(
        &mut self,
        settings: &DaemonSettings<'_>,
        now: Duration,
    ) -> Result<(), Errno> {
        let group = settings.group.unwrap_or(DEFAULT_GROUP);
        let (multicast, headers) = match group {
            Group::Ipv4([first, ..]) => (first & 0xf0 == 0xe0, 28),
            Group::Ipv6([first, ..]) => (first == 0xff, 48),
        };
        if !multicast || self.has_mixed_families() {
            return Err(Errno::INVAL);
        }
        let interface = self.interfaces.find(settings.interface).ok_or(Errno::NODEV)?;
        let master = settings.state == IP_VS_STATE_MASTER;
        let (mtu, least) =
            if master { (1500, 1) } else { (interface.mtu.clamp(1500, 65_535), 1024) };
        let length = match u32::from(settings.max_length) {
            0 => mtu - headers,
            length => length.clamp(least, 65_535 - headers),
        };
        let (up, loopback) = (interface.up, interface.is_loopback());
        let place = match settings.state {
            IP_VS_STATE_MASTER => &mut self.master,
            IP_VS_STATE_BACKUP => &mut self.backup,
            _ => return Err(Errno::INVAL),
        };
        if place.is_some() {
            return Err(Errno::EXIST);
        }
        if master {
            // A master connects its socket to the group. `lo` has no routes to groups of IPv6.
            match group {
                Group::Ipv4(_) if !up => return Err(Errno::NETUNREACH),
                Group::Ipv6(_) if !up => return Err(Errno::ADDRNOTAVAIL),
                Group::Ipv6(_) if loopback => return Err(Errno::NETUNREACH),
                _ => {}
            }
        }
        *place = Some(Daemon {
            interface: String::from_utf8_lossy(settings.interface).into_owned(),
            sync_id: settings.sync_id,
            max_length: u16::try_from(length).unwrap_or(u16::MAX),
            port: if settings.port == 0 { DEFAULT_PORT } else { settings.port },
            ttl: if settings.ttl == 0 { DEFAULT_TTL } else { settings.ttl },
            group,
            since: now,
        });
        Ok(())
    }

    /// Stops a daemon, and returns when it was started.
    ///
    /// Source: `ip_vs_sync.c:stop_sync_thread`.
    pub(in crate::fake) fn stop_daemon(&mut self, state: u32) -> Result<Duration, Errno> {
        let place = match state {
            IP_VS_STATE_MASTER => &mut self.master,
            IP_VS_STATE_BACKUP => &mut self.backup,
            _ => return Err(Errno::INVAL),
        };
        place.take().map(|daemon| daemon.since).ok_or(Errno::SRCH)
    }
}
