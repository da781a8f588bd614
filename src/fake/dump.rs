//! Dumps: the first datagram is made when the dump is requested, and each further one when the
//! one before is received.

use crate::fake::Errno;
use crate::fake::netlink::acknowledgement::{Reason, TLVS};
use crate::fake::netlink::message::MULTI;
use crate::fake::netlink::writer::{Header, Writer};
use crate::fake::replies;
use crate::fake::socket_state::SocketState;
use crate::fake::table::Table;
use crate::fake::table::key::ServiceKey;
use crate::uapi::{
    IP_VS_STATE_BACKUP, IP_VS_STATE_MASTER, IPVS_CMD_NEW_DAEMON, IPVS_CMD_NEW_DEST,
    IPVS_CMD_NEW_SERVICE, IPVS_GENL_VERSION, NLMSGERR_ATTR_MSG,
};
use std::time::Duration;

const NLMSG_DONE: u16 = 3;
/// What the kernel allocates at least for a datagram: a page without its own data.
const LEAST: usize = 3776;

/// What a dump lists.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entries {
    Services,
    /// Of no service if the request named none.
    Destinations(Option<ServiceKey>),
    Daemons {
        master: bool,
        backup: bool,
    },
}

/// A dump that a socket has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dump {
    pub(super) entries: Entries,
    pub(super) family: u16,
    pub(super) sequence: u32,
    /// What the last message says beside its error number.
    pub(super) reason: Reason,
    /// How many entries were listed. Services of all namespaces count.
    pub(super) position: usize,
}

impl Dump {
    const fn header(&self, kind: u16, flags: u16, port: u32) -> Header {
        Header { kind, flags: flags | MULTI, sequence: self.sequence, port }
    }
}

/// Makes the next datagram of the dump of a socket. Fails if there is no room for it.
///
/// Source: `af_netlink.c:netlink_dump`.
pub(super) fn proceed(
    table: &mut Table,
    socket: &mut SocketState,
    now: Duration,
) -> Result<(), Errno> {
    let Some(dump) = &mut socket.dump else { return Ok(()) };
    let allocated = socket.offered.max(LEAST);
    if !socket.inbox.has_room(table.version, allocated) {
        return Err(Errno::NOBUFS);
    }
    let mut bytes = socket.inbox.buffer();
    // The kernel uses the last bytes of what it allocated.
    let alignment = table.version.aligns().then(|| (8 - allocated % 8) % 8);
    let mut writer = Writer::new(&mut bytes, alignment);
    let mut filler = Filler { writer: &mut writer, port: socket.port, most: allocated, now };
    match dump.entries {
        Entries::Services => filler.services(table, socket.space, dump),
        Entries::Destinations(key) => filler.destinations(table, key, dump),
        Entries::Daemons { .. } => filler.daemons(table, socket.space, dump),
    }
    if writer.len() == 0 {
        let reason = dump.reason.text.filter(|_| socket.shape.extended);
        let flags = if reason.is_some() { TLVS } else { 0 };
        let open = writer.begin(dump.header(NLMSG_DONE, flags, socket.port));
        writer.bytes(&[0; 4]);
        if let Some(text) = reason {
            writer.put_text(NLMSGERR_ATTR_MSG, text);
        }
        writer.end(open);
        socket.dump = None;
    }
    socket.inbox.part(table.version, bytes, allocated);
    Ok(())
}

struct Filler<'w, 'b> {
    writer: &'w mut Writer<'b>,
    port: u32,
    most: usize,
    now: Duration,
}

impl Filler<'_, '_> {
    /// Writes one message. Takes it back and returns `false` if there is no room for it.
    fn put(&mut self, dump: &Dump, command: u8, write: impl FnOnce(&mut Writer<'_>)) -> bool {
        let before = self.writer.len();
        let header = dump.header(dump.family, 0, self.port);
        let open = self.writer.begin_generic(header, command, IPVS_GENL_VERSION);
        write(self.writer);
        let fits = self.writer.len() <= self.most;
        if fits {
            self.writer.end(open);
        } else {
            self.writer.truncate(before);
        }
        fits
    }

    /// Source: `ip_vs_ctl.c:ip_vs_genl_dump_services`.
    fn services(&mut self, table: &mut Table, space: usize, dump: &mut Dump) {
        let Table { buckets, services, .. } = table;
        let now = self.now;
        for slot in buckets.after(dump.position) {
            let here = services.get_mut(slot).filter(|service| service.key.space == space);
            if let Some(service) = here {
                let write = |writer: &mut Writer<'_>| replies::service::write(writer, service, now);
                if !self.put(dump, IPVS_CMD_NEW_SERVICE, write) {
                    return;
                }
            }
            dump.position += 1;
        }
    }

    /// Source: `ip_vs_ctl.c:ip_vs_genl_dump_dests`.
    fn destinations(&mut self, table: &mut Table, key: Option<ServiceKey>, dump: &mut Dump) {
        let service = key.and_then(|key| table.find(&key));
        let Table { services, destinations, .. } = table;
        let Some(service) = service.and_then(|slot| services.get(slot)) else { return };
        let now = self.now;
        for slot in service.destinations.iter().rev().skip(dump.position) {
            if let Some(destination) = destinations.get_mut(*slot) {
                let write =
                    |writer: &mut Writer<'_>| replies::destination::write(writer, destination, now);
                if !self.put(dump, IPVS_CMD_NEW_DEST, write) {
                    return;
                }
            }
            dump.position += 1;
        }
    }

    /// Source: `ip_vs_ctl.c:ip_vs_genl_dump_daemons`.
    fn daemons(&mut self, table: &Table, space: usize, dump: &mut Dump) {
        let Entries::Daemons { master, backup } = dump.entries else { return };
        let Some(space) = table.spaces.get(space) else { return };
        let both = [
            (IP_VS_STATE_MASTER, &space.master, master),
            (IP_VS_STATE_BACKUP, &space.backup, backup),
        ];
        let listed = both.map(|(state, daemon, listed)| {
            let Some(daemon) = daemon.as_ref().filter(|_| !listed) else { return listed };
            self.put(dump, IPVS_CMD_NEW_DAEMON, |writer| {
                replies::daemon::write(writer, state, daemon);
            })
        });
        let [master, backup] = listed;
        dump.entries = Entries::Daemons { master, backup };
    }
}
