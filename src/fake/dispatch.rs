//! From a message to its handler: the checks of generic netlink, and the commands of IPVS.

use crate::fake::Errno;
use crate::fake::commands::{FIRST_CHECKED, variants};
use crate::fake::dump::{Dump, Entries};
use crate::fake::netlink::acknowledgement::Reason;
use crate::fake::netlink::attributes::{Attributes, Kind};
use crate::fake::netlink::message::{ACK, DUMP, ECHO, GENERIC_HEADER, HEADER, Message, REQUEST};
use crate::fake::replies;
use crate::fake::requests::command::{self, TopLevel};
use crate::fake::requests::daemon::DaemonRequest;
use crate::fake::requests::destination::DestinationRequest;
use crate::fake::requests::service::ServiceRequest;
use crate::fake::state::{Outcome, State};
use crate::fake::table::slab::Slot;
use crate::uapi::{
    IPVS_CMD_ATTR_DEST, IPVS_CMD_ATTR_SERVICE, IPVS_CMD_DEL_DAEMON, IPVS_CMD_DEL_DEST,
    IPVS_CMD_DEL_SERVICE, IPVS_CMD_FLUSH, IPVS_CMD_GET_CONFIG, IPVS_CMD_GET_DAEMON,
    IPVS_CMD_GET_INFO, IPVS_CMD_GET_SERVICE, IPVS_CMD_NEW_DAEMON, IPVS_CMD_NEW_DEST,
    IPVS_CMD_NEW_SERVICE, IPVS_CMD_SET_CONFIG, IPVS_CMD_SET_DEST, IPVS_CMD_SET_INFO,
    IPVS_CMD_SET_SERVICE, IPVS_CMD_ZERO, IPVS_GENL_NAME, IPVS_GENL_VERSION,
};

/// The family `nlctrl`.
pub(super) const GENL_ID_CTRL: u16 = 16;
pub(super) const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_CMD_NEWFAMILY: u8 = 1;
const CTRL_VERSION: u8 = 2;
const CTRL_FIRST_CHECKED: u8 = 11;
/// The longest name of a family, without its NUL.
const NAME: usize = 15;

const IPVS: u8 = IPVS_GENL_VERSION;
/// How soon a daemon has to be stopped to be stopped before its thread ran.
const EARLY: std::time::Duration = std::time::Duration::from_millis(1);

impl State {
    /// Source: `genetlink.c:genl_rcv_msg`.
    pub(super) fn route(
        &mut self,
        socket: Slot,
        message: &Message<'_>,
        reason: &mut Reason,
    ) -> Outcome {
        match message.kind {
            GENL_ID_CTRL => self.control(socket, message, reason),
            family if self.module.family == Some(family) => self.ipvs(socket, message, reason),
            _ => Errno::NOENT.into(),
        }
    }

    /// Source: `genetlink.c:ctrl_getfamily`.
    fn control(&mut self, socket: Slot, message: &Message<'_>, reason: &mut Reason) -> Outcome {
        let Some((command, reserved)) = message.command() else { return Errno::INVAL.into() };
        if let Err(errno) = check_header(message, command, reserved, CTRL_FIRST_CHECKED, reason) {
            return errno.into();
        }
        if command != CTRL_CMD_GETFAMILY || message.is_dump() {
            return Errno::OPNOTSUPP.into();
        }
        const POLICY: [Kind; 3] = [Kind::Any, Kind::U16, Kind::Text(NAME)];
        let base = HEADER + GENERIC_HEADER;
        let attributes = match Attributes::parse(message.attributes(), base, &POLICY) {
            Ok(attributes) => attributes,
            Err(violation) => {
                *reason = Reason::violation(violation);
                return violation.errno.into();
            }
        };
        if attributes.leftover {
            *reason = Reason::leftover();
        }
        let name = attributes.text(replies::family::FAMILY_NAME);
        let id = attributes.u16(replies::family::FAMILY_ID);
        let family = match (name, id) {
            (Some(name), _) if name == IPVS_GENL_NAME.as_bytes() => self.module.load(),
            (Some(_), _) => None,
            (None, Some(id)) => self.module.family.filter(|family| *family == id),
            (None, None) => return Errno::INVAL.into(),
        };
        let Some(family) = family else { return Errno::NOENT.into() };
        let dumps_have_policy = self.table.version.aligns();
        let command = (CTRL_CMD_NEWFAMILY, CTRL_VERSION);
        Outcome::Result(self.reply(socket, message, command, |_, writer| {
            replies::family::write(writer, family, dumps_have_policy);
        }))
    }

    /// Source: `genetlink.c:genl_family_rcv_msg`.
    fn ipvs(&mut self, socket: Slot, message: &Message<'_>, reason: &mut Reason) -> Outcome {
        let Some((command, reserved)) = message.command() else { return Errno::INVAL.into() };
        if let Err(errno) = check_header(message, command, reserved, FIRST_CHECKED, reason) {
            return errno.into();
        }
        let Some(variants) = variants(command) else { return Errno::OPNOTSUPP.into() };
        let has_variant = variants.has(message.is_dump());
        if !has_variant && self.table.version.misses_variants_first() {
            return Errno::OPNOTSUPP.into();
        }
        if !self.privileged {
            return Errno::PERM.into();
        }
        if !has_variant {
            return Errno::OPNOTSUPP.into();
        }
        if message.is_dump() {
            return self.dump(socket, message, command);
        }
        let attributes = match command::parse(message) {
            Ok(attributes) => attributes,
            Err(violation) => {
                *reason = Reason::violation(violation);
                return violation.errno.into();
            }
        };
        if attributes.leftover {
            *reason = Reason::leftover();
        }
        self.execute(socket, message, command, &attributes, reason)
    }

    fn dump(&mut self, socket: Slot, message: &Message<'_>, command: u8) -> Outcome {
        let Some(state) = self.sockets.get_mut(socket) else { return Outcome::Silence };
        if state.dump.is_some() {
            return Errno::BUSY.into();
        }
        let mut reason = Reason::default();
        let entries = match command {
            IPVS_CMD_GET_SERVICE => Entries::Services,
            IPVS_CMD_GET_DAEMON => Entries::Daemons { master: false, backup: false },
            _ => {
                let key = match command::parse(message) {
                    Ok(attributes) => {
                        if attributes.leftover {
                            reason = Reason::leftover();
                        }
                        let nest = attributes.get(IPVS_CMD_ATTR_SERVICE);
                        ServiceRequest::parse(state.space, nest).ok().map(|request| request.key)
                    }
                    Err(violation) => {
                        reason = Reason::violation(violation);
                        None
                    }
                };
                Entries::Destinations(key)
            }
        };
        let (family, sequence) = (message.kind, message.sequence);
        state.dump = Some(Dump { entries, family, sequence, reason, position: 0 });
        self.start_dump(socket)
    }

    /// Source: `ip_vs_ctl.c:ip_vs_genl_get_cmd`, `ip_vs_genl_set_daemon`, `ip_vs_genl_set_cmd`.
    fn execute(
        &mut self,
        socket: Slot,
        message: &Message<'_>,
        command: u8,
        attributes: &TopLevel<'_>,
        reason: &mut Reason,
    ) -> Outcome {
        let Some(space) = self.sockets.get(socket).map(|socket| socket.space) else {
            return Outcome::Silence;
        };
        let result = match command {
            IPVS_CMD_GET_INFO => {
                self.reply(socket, message, (IPVS_CMD_SET_INFO, IPVS), |_, writer| {
                    replies::settings::write_info(writer);
                })
            }
            IPVS_CMD_GET_CONFIG => {
                self.reply(socket, message, (IPVS_CMD_SET_CONFIG, IPVS), |table, writer| {
                    let timeouts = table.space(space).map(|space| space.timeouts);
                    replies::settings::write_timeouts(writer, timeouts.unwrap_or_default());
                })
            }
            IPVS_CMD_GET_SERVICE => self.report_service(socket, message, space, attributes),
            IPVS_CMD_NEW_DAEMON => self.start_daemon(space, attributes, reason),
            IPVS_CMD_DEL_DAEMON => return self.stop_daemon(space, attributes, reason),
            _ => self.change(space, command, attributes),
        };
        Outcome::Result(result)
    }

    fn report_service(
        &mut self,
        socket: Slot,
        message: &Message<'_>,
        space: usize,
        attributes: &TopLevel<'_>,
    ) -> Result<(), Errno> {
        let request = ServiceRequest::parse(space, attributes.get(IPVS_CMD_ATTR_SERVICE))?;
        let slot = self.table.find(&request.key).ok_or(Errno::SRCH)?;
        let now = self.now();
        self.reply(socket, message, (IPVS_CMD_NEW_SERVICE, IPVS), |table, writer| {
            if let Some(service) = table.services.get_mut(slot) {
                replies::service::write(writer, service, now);
            }
        })
    }

    fn start_daemon(
        &mut self,
        space: usize,
        attributes: &TopLevel<'_>,
        reason: &mut Reason,
    ) -> Result<(), Errno> {
        let settings = DaemonRequest::parse(attributes, reason)?.settings()?;
        let now = self.now();
        self.table.space(space).ok_or(Errno::NODEV)?.start_daemon(&settings, now)
    }

    fn stop_daemon(
        &mut self,
        space: usize,
        attributes: &TopLevel<'_>,
        reason: &mut Reason,
    ) -> Outcome {
        let state = DaemonRequest::parse(attributes, reason).and_then(|request| request.state());
        let now = self.now();
        let early = self.table.version.loses_early_stops();
        let Some(space) = self.table.space(space) else { return Errno::SRCH.into() };
        match state.and_then(|state| space.stop_daemon(state)) {
            Ok(since) if early && now < since + EARLY => Outcome::Silence,
            Ok(_) => Outcome::Result(Ok(())),
            Err(errno) => errno.into(),
        }
    }

    fn change(
        &mut self,
        space: usize,
        command: u8,
        attributes: &TopLevel<'_>,
    ) -> Result<(), Errno> {
        let now = self.now();
        let table = &mut self.table;
        let nest = attributes.get(IPVS_CMD_ATTR_SERVICE);
        match command {
            IPVS_CMD_FLUSH => {
                table.flush(space, now);
                return Ok(());
            }
            IPVS_CMD_SET_CONFIG => {
                let ticks = table.version.ticks_per_second();
                let space = table.space(space).ok_or(Errno::INVAL)?;
                return space.set_timeouts(ticks, command::timeouts(attributes));
            }
            IPVS_CMD_ZERO if nest.is_none() => {
                table.zero_all(space, now);
                return Ok(());
            }
            _ => {}
        }
        let request = ServiceRequest::parse(space, nest)?;
        if command == IPVS_CMD_NEW_SERVICE {
            return table.add_service(request.key, &request.settings()?).map(|_| ());
        }
        let settings = match command {
            IPVS_CMD_SET_SERVICE => Some(request.settings()?),
            _ => None,
        };
        let slot = table.find(&request.key).ok_or(Errno::SRCH)?;
        if let Some(settings) = settings {
            return table.edit_service(slot, &settings);
        }
        match command {
            IPVS_CMD_DEL_SERVICE => {
                table.delete_service(slot, now);
                return Ok(());
            }
            IPVS_CMD_ZERO => {
                table.zero(slot, now);
                return Ok(());
            }
            _ => {}
        }
        let full = command != IPVS_CMD_DEL_DEST;
        let destination = DestinationRequest::parse(attributes.get(IPVS_CMD_ATTR_DEST), full)?;
        let key = destination.key(request.key.family)?;
        match (command, destination.settings) {
            (IPVS_CMD_NEW_DEST, Some(settings)) => table.add_destination(slot, key, &settings, now),
            (IPVS_CMD_SET_DEST, Some(settings)) => table.edit_destination(slot, key, &settings),
            _ => table.delete_destination(slot, key, now),
        }
    }
}

/// Source: `genetlink.c:genl_header_check`.
fn check_header(
    message: &Message<'_>,
    command: u8,
    reserved: u16,
    first_checked: u8,
    reason: &mut Reason,
) -> Result<(), Errno> {
    if command < first_checked {
        return Ok(());
    }
    if reserved != 0 {
        *reason = Reason::text("genlmsghdr.reserved field is not 0");
        return Err(Errno::INVAL);
    }
    let flags = if message.is_dump() { message.flags & !DUMP } else { message.flags };
    if flags & !(REQUEST | ACK | ECHO) != 0 {
        *reason = Reason::text("ambiguous or reserved bits set in nlmsg_flags");
        return Err(Errno::INVAL);
    }
    Ok(())
}
