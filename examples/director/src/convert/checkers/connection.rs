//! Where a check goes to, and where it comes from.

use std::net::IpAddr;

use ipvs_netlink::health::probe::{Origin, Probe, ProbeKind};

use crate::convert::blocks::Statement;
use crate::convert::real_server::RealServer;
use crate::convert::settings::Slot;
use crate::convert::unsaid::{Fate, Remarks};

/// The keywords of the connection of a check.
#[derive(Debug, Default)]
pub(super) struct Connection {
    address: Slot<IpAddr>,
    port: Slot<u16>,
    source: Slot<IpAddr>,
    interface: Slot<String>,
    mark: Slot<u32>,
}

impl Connection {
    /// Takes a statement. Returns `false` if it is none of the connection.
    pub(super) fn take(&mut self, statement: &Statement, remarks: &mut Remarks) -> bool {
        match statement.keyword() {
            "connect_ip" => {
                if let Some(address) = statement.parsed("an IP address", remarks) {
                    self.address.set(statement, address, remarks);
                }
            }
            "connect_port" => {
                let port = statement.number(1..=65_535, remarks);
                if let Some(port) = port.and_then(|port| u16::try_from(port).ok()) {
                    self.port.set(statement, port, remarks);
                }
            }
            "bindto" => {
                if let Some(address) = statement.parsed("an IP address", remarks) {
                    self.source.set(statement, address, remarks);
                }
            }
            "bind_if" => match statement.one("the name of an interface", remarks) {
                Some(name) if (1..16).contains(&name.len()) => {
                    self.interface.set(statement, name.to_owned(), remarks);
                }
                Some(_) => statement.refuse("a name of 1 to 15 bytes", remarks),
                None => {}
            },
            "fwmark" => {
                if let Some(mark) = statement.number(0..=u32::MAX, remarks) {
                    self.mark.set(statement, mark, remarks);
                }
            }
            "bind_port" => {
                let reason = "the kernel chooses the port that a check comes from";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            _ => return false,
        }
        true
    }

    pub(super) fn tell_unused(&self, remarks: &mut Remarks) {
        self.address.tell_unused(remarks);
        self.port.tell_unused(remarks);
        self.source.tell_unused(remarks);
        self.interface.tell_unused(remarks);
        self.mark.tell_unused(remarks);
    }

    /// Returns `true`, and tells, if the check would go to another host.
    pub(super) fn is_elsewhere(&self, server: &RealServer<'_>, remarks: &mut Remarks) -> bool {
        let elsewhere = self.address.get().is_some_and(|address| *address != server.address);
        match elsewhere {
            true => {
                let reason = "a check goes to the address of its real server; this one is left out";
                self.address.tell(Fate::LeftOut, reason, remarks);
                self.tell_unused(remarks);
            }
            false => {
                self.address.tell(Fate::NotNeeded, "it is the real server's address", remarks);
            }
        }
        elsewhere
    }

    /// Lets a probe connect so.
    pub(super) fn apply(
        &self,
        probe: Probe,
        server: &RealServer<'_>,
        remarks: &mut Remarks,
    ) -> Probe {
        let mut origin = Origin::new();
        if let Some(source) = self.source.get() {
            if source.is_ipv4() == server.address.is_ipv4() {
                origin = origin.source(*source);
            } else {
                let reason = "the address is not of the family of the real server";
                self.source.tell(Fate::LeftOut, reason, remarks);
            }
        }
        if let Some(interface) = self.interface.get() {
            origin = origin.interface(interface);
        }
        match self.mark.get() {
            Some(0) => self.mark.tell(Fate::NotNeeded, "packets have no mark otherwise", remarks),
            Some(mark) => origin = origin.mark(*mark),
            None => {}
        }
        let probe = probe.origin(origin);
        if probe.kind == ProbeKind::Icmp {
            self.port.tell(Fate::NotNeeded, "ICMP has no ports", remarks);
            return probe;
        }
        match self.port.get().copied().or(server.port) {
            Some(port) => probe.port(port),
            None => probe,
        }
    }
}
