use std::net::{IpAddr, Ipv4Addr};

use ipvs_netlink::{AddressFamily, Forwarding, Protocol, Scheduler, ServiceFlags};

use crate::convert::blocks::Statement;
use crate::convert::forwarding;
use crate::convert::group;
use crate::convert::real_server::{tell_alpha, tell_mail, tell_snmp};
use crate::convert::script;
use crate::convert::settings::Slot;
use crate::convert::timing::Timing;
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::number;

/// The time of persistence where none is said, in seconds.
pub(super) const PERSISTENCE: u32 = 360;

/// The longest time of persistence, in seconds.
const LONGEST_PERSISTENCE: u32 = 4_294_967;

const SCHEDULERS: [&str; 14] =
    ["rr", "wrr", "lc", "wlc", "lblc", "sh", "mh", "dh", "fo", "ovf", "lblcr", "sed", "nq", "twos"];

/// What the block of a virtual server says, without its real servers.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) scheduler: Slot<Scheduler>,
    pub(super) flags: Vec<(ServiceFlags, Slot<()>)>,
    pub(super) forwarding: Slot<Forwarding>,
    pub(super) protocol: Slot<Protocol>,
    pub(super) family: Slot<AddressFamily>,
    pub(super) persistence: Slot<u32>,
    pub(super) engine: Slot<String>,
    pub(super) mask: Slot<Mask>,
    pub(super) weight: Slot<u32>,
    pub(super) quorum: Slot<u32>,
    pub(super) hysteresis: Slot<u32>,
    pub(super) quorum_up: Slot<Vec<String>>,
    pub(super) quorum_down: Slot<Vec<String>>,
    pub(super) sorry: Slot<(IpAddr, Option<u16>)>,
    pub(super) sorry_forwarding: Slot<Forwarding>,
    pub(super) inhibit: Slot<()>,
    pub(super) virtualhost: Slot<String>,
    pub(super) timing: Timing,
}

/// `persistence_granularity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mask {
    Ipv4(Ipv4Addr),
    Ipv6(u8),
}

impl Settings {
    pub(super) fn take(&mut self, statement: &Statement, remarks: &mut Remarks) {
        if self.timing.take(statement, 1, remarks) {
            return;
        }
        match statement.keyword() {
            "lb_algo" | "lvs_sched" => self.take_scheduler(statement, remarks),
            "lb_kind" | "lvs_method" => {
                if let Some(forwarding) = forwarding::read(statement, remarks) {
                    self.forwarding.set(statement, forwarding, remarks);
                }
            }
            "ops" | "flag-1" | "flag-2" | "flag-3" | "sh-port" | "sh-fallback" | "mh-port"
            | "mh-fallback" | "hashed" => self.take_flag(statement, remarks),
            "protocol" => self.take_protocol(statement, remarks),
            "ip_family" => match statement.one("inet or inet6", remarks).map(group::family) {
                Some(Some(family)) => self.family.set(statement, family, remarks),
                Some(None) => statement.refuse("inet or inet6", remarks),
                None => {}
            },
            "persistence_timeout" => {
                let timeout = match statement.arguments() {
                    [] => Some(PERSISTENCE),
                    _ => statement.number(1..=LONGEST_PERSISTENCE, remarks),
                };
                if let Some(timeout) = timeout {
                    self.persistence.set(statement, timeout, remarks);
                }
            }
            "persistence_engine" => {
                if let Some(name) = statement.one("a name", remarks) {
                    self.engine.set(statement, name.to_owned(), remarks);
                }
            }
            "persistence_granularity" => self.take_mask(statement, remarks),
            "weight" => {
                if let Some(weight) = statement.number(0..=i32::MAX.unsigned_abs(), remarks) {
                    self.weight.set(statement, weight, remarks);
                }
            }
            "inhibit_on_failure" => self.inhibit.set(statement, (), remarks),
            "virtualhost" => {
                if let Some(host) = statement.one("a host", remarks) {
                    self.virtualhost.set(statement, host.to_owned(), remarks);
                }
            }
            "quorum" | "hysteresis" | "quorum_up" | "quorum_down" => {
                self.take_quorum(statement, remarks);
            }
            "sorry_server" | "sorry_server_inhibit" | "sorry_server_lvs_method" => {
                self.take_sorry(statement, remarks);
            }
            _ => Self::tell(statement, remarks),
        }
    }

    /// Tells of what the converted file has nothing for.
    fn tell(statement: &Statement, remarks: &mut Remarks) {
        match statement.keyword() {
            "alpha" => tell_alpha(statement, true, remarks),
            "omega" => {
                let reason = "`director run` says by an option what happens at its end";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "ha_suspend" => {
                let reason = "servers are checked whether or not the host has the virtual address";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "smtp_alert" => tell_mail(statement, remarks),
            "snmp_name" => tell_snmp(statement, remarks),
            _ => statement.unknown(remarks),
        }
    }

    fn take_scheduler(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let expected = "a scheduler that keepalived knows";
        let Some(name) = statement.one(expected, remarks) else { return };
        match Scheduler::new(name) {
            Ok(scheduler) if SCHEDULERS.contains(&name) => {
                self.scheduler.set(statement, scheduler, remarks);
            }
            _ => statement.refuse(expected, remarks),
        }
    }

    fn take_flag(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let scheduler = self.scheduler.look().map(|(scheduler, _)| *scheduler);
        let is = |one: Scheduler| scheduler == Some(one);
        let flag = match statement.keyword() {
            "ops" => Some(ServiceFlags::ONE_PACKET),
            "flag-1" => Some(ServiceFlags::SCHED_1),
            "flag-2" => Some(ServiceFlags::SCHED_2),
            "flag-3" => Some(ServiceFlags::SCHED_3),
            "sh-port" if is(Scheduler::SOURCE_HASHING) => Some(ServiceFlags::SH_PORT),
            "sh-fallback" if is(Scheduler::SOURCE_HASHING) => Some(ServiceFlags::SH_FALLBACK),
            "mh-port" if is(Scheduler::MAGLEV_HASHING) => Some(ServiceFlags::MH_PORT),
            "mh-fallback" if is(Scheduler::MAGLEV_HASHING) => Some(ServiceFlags::MH_FALLBACK),
            _ => None,
        };
        if !statement.arguments().is_empty() {
            statement.tell(Fate::NotNeeded, "what follows the keyword is ignored", remarks);
        }
        match flag {
            Some(flag) => {
                let mut slot = Slot::default();
                slot.set(statement, (), remarks);
                self.flags.push((flag, slot));
            }
            None if statement.keyword() == "hashed" => {
                statement.tell(Fate::NotNeeded, "it has no effect", remarks);
            }
            None => {
                let reason = "keepalived ignores it, because no line before it gives its scheduler";
                statement.tell(Fate::NotNeeded, reason, remarks);
            }
        }
    }

    fn take_protocol(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let expected = "TCP, UDP or SCTP";
        let Some(name) = statement.one(expected, remarks) else { return };
        let protocol = match name.to_ascii_uppercase().as_str() {
            "TCP" => Protocol::TCP,
            "UDP" => Protocol::UDP,
            "SCTP" => Protocol::SCTP,
            _ => return statement.refuse(expected, remarks),
        };
        self.protocol.set(statement, protocol, remarks);
    }

    fn take_mask(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let expected = "a mask such as 255.255.255.0, or for IPv6 a number from 1 to 128";
        let Some(text) = statement.one(expected, remarks) else { return };
        let prefix = number(text).and_then(|it| u8::try_from(it).ok());
        let mask = match (text.parse(), prefix) {
            (Ok(mask), _) => Mask::Ipv4(mask),
            (Err(_), Some(length @ 1..=128)) => Mask::Ipv6(length),
            _ => return statement.refuse(expected, remarks),
        };
        self.mask.set(statement, mask, remarks);
    }

    fn take_quorum(&mut self, statement: &Statement, remarks: &mut Remarks) {
        match statement.keyword() {
            "quorum" => {
                if let Some(quorum) = statement.number(1..=u32::MAX, remarks) {
                    self.quorum.set(statement, quorum, remarks);
                }
            }
            "hysteresis" => {
                if let Some(hysteresis) = statement.number(0..=u32::MAX, remarks) {
                    self.hysteresis.set(statement, hysteresis, remarks);
                }
            }
            keyword => {
                let slot = match keyword {
                    "quorum_up" => &mut self.quorum_up,
                    _ => &mut self.quorum_down,
                };
                if let Some(script) = script::read(statement, remarks) {
                    slot.set_first(statement, script, remarks);
                }
            }
        }
    }

    fn take_sorry(&mut self, statement: &Statement, remarks: &mut Remarks) {
        let has_sorry = self.sorry.look().is_some();
        match statement.keyword() {
            "sorry_server" => {
                if let Some(server) = statement.address(statement.arguments(), remarks) {
                    self.sorry.set(statement, server, remarks);
                }
            }
            _ if !has_sorry => {
                let reason = "keepalived ignores it, because no sorry_server is before it";
                statement.tell(Fate::NotNeeded, reason, remarks);
            }
            "sorry_server_inhibit" => {
                let reason = "the sorry server leaves the table when it is not needed";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            _ => {
                if let Some(forwarding) = forwarding::read(statement, remarks) {
                    self.sorry_forwarding.set(statement, forwarding, remarks);
                }
            }
        }
    }

    /// Tells of the settings that no real server and no check uses.
    pub(super) fn tell_unused(&self, remarks: &mut Remarks) {
        self.timing.tell_unused(remarks);
        self.virtualhost.tell_unused(remarks);
        self.weight.tell_unused(remarks);
        self.forwarding.tell_unused(remarks);
        self.family.tell_unused(remarks);
    }
}
