//! `virtual_server`: a service, or one for each member of its group.

mod service;
mod settings;

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::net::{IpAddr, SocketAddr};

use ipvs_netlink::{AddressFamily, Forwarding, Protocol, ServiceId};

use crate::configuration::{Configuration, ServiceConfiguration};
use crate::convert::blocks::Statement;
use crate::convert::group::Entry;
use crate::convert::real_server::{Check, RealServer};
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::number;
use crate::convert::virtual_server::settings::Settings;

/// A virtual server as its block says it.
#[derive(Debug)]
pub(super) struct VirtualServer<'s> {
    statement: &'s Statement,
    entries: Vec<Entry>,
    is_group: bool,
    settings: Settings,
    servers: Vec<Server<'s>>,
}

/// A real server with its checks.
#[derive(Debug)]
struct Server<'s> {
    real: RealServer<'s>,
    forwarding: Forwarding,
    /// The weight that it is said to have.
    weight: u32,
    inhibit: bool,
    checks: Vec<Check>,
}

/// The groups by name.
pub(super) type Groups = BTreeMap<String, Vec<Entry>>;

impl<'s> VirtualServer<'s> {
    /// Reads a virtual server. `None` if keepalived ignores it.
    pub(super) fn read(
        statement: &'s Statement,
        groups: &Groups,
        remarks: &mut Remarks,
    ) -> Option<Self> {
        let words: Vec<&str> = statement.arguments().iter().map(String::as_str).collect();
        let (entries, is_group) = match words.as_slice() {
            ["group", name] => match groups.get(*name) {
                Some(entries) if entries.is_empty() => {
                    statement.tell(Fate::LeftOut, "its group has no member", remarks);
                    return None;
                }
                Some(entries) => (entries.clone(), true),
                None => {
                    statement
                        .refuse("a group of this file; the virtual server is left out", remarks);
                    return None;
                }
            },
            ["fwmark", mark] => {
                let Some(mark) = number(mark).filter(|mark| *mark != 0) else {
                    statement.refuse("a firewall mark; the virtual server is left out", remarks);
                    return None;
                };
                (vec![Entry::Mark(mark, None)], false)
            }
            _ => {
                let (address, port) = statement.address(statement.arguments(), remarks)?;
                (vec![Entry::Address(address, port)], false)
            }
        };
        let mut settings = Settings::default();
        let mut reals = Vec::new();
        for statement in statement.inside() {
            match statement.keyword() {
                "real_server" => reals.extend(RealServer::read(statement, remarks)),
                _ if statement.has_wrong_block(&[], remarks) => {}
                _ => settings.take(statement, remarks),
            }
        }
        if reals.is_empty() {
            let reason = "it has no real server, so keepalived ignores it";
            statement.tell(Fate::LeftOut, reason, remarks);
            return None;
        }
        let servers = reals.into_iter().map(|real| Server::new(real, &settings, remarks)).collect();
        Some(Self { statement, entries, is_group, settings, servers })
    }

    /// Returns how many services and destinations of all of them there are at most.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.entries.len().saturating_mul(self.servers.len()))
    }

    /// Adds the services to the configuration.
    pub(super) fn add_to(&self, configuration: &mut Configuration, remarks: &mut Remarks) {
        let services = self.services(remarks);
        for (id, service) in services {
            match configuration.services.entry(id) {
                btree_map::Entry::Vacant(place) => drop(place.insert(service)),
                btree_map::Entry::Occupied(_) => {
                    let reason = format!("the service {id} is there already");
                    self.statement.tell(Fate::LeftOut, reason, remarks);
                }
            }
        }
    }

    fn services(&self, remarks: &mut Remarks) -> Vec<(ServiceId, ServiceConfiguration)> {
        let shared = service::Shared::new(self, remarks);
        let mut services = Vec::new();
        for entry in &self.entries {
            match self.id(*entry) {
                Some(id) => services.extend(shared.service(id, remarks).map(|it| (id, it))),
                None => {
                    let reason =
                        "a member of its group is the firewall mark 0, which no service has";
                    self.statement.tell(Fate::LeftOut, reason, remarks);
                }
            }
        }
        self.settings.tell_unused(remarks);
        services
    }

    fn id(&self, entry: Entry) -> Option<ServiceId> {
        match entry {
            Entry::Address(address, port) => {
                let address = SocketAddr::new(address, port.unwrap_or(0));
                Some(match self.settings.protocol.get().copied() {
                    Some(Protocol::TCP) => ServiceId::tcp(address),
                    Some(Protocol::SCTP) => ServiceId::sctp(address),
                    _ => ServiceId::udp(address),
                })
            }
            Entry::Mark(0, _) => None,
            Entry::Mark(mark, family) => {
                let family = family.or_else(|| self.settings.family.get().copied());
                Some(ServiceId::fwmark(mark, family.unwrap_or_else(|| self.family_of_servers())))
            }
        }
    }

    /// Returns the family of a firewall mark: that of a server without a tunnel, or that of all
    /// servers, or IPv4.
    fn family_of_servers(&self) -> AddressFamily {
        let sorry = self.settings.sorry.look().map(|((address, _), _)| {
            let forwarding = self.settings.sorry_forwarding.look();
            let forwarding = forwarding.or_else(|| self.settings.forwarding.look());
            let tunnel = matches!(forwarding, Some((Forwarding::Tunnel(_), _)));
            (*address, tunnel)
        });
        let servers = self.servers.iter().map(|server| {
            (server.real.address, matches!(server.forwarding, Forwarding::Tunnel(_)))
        });
        let all: Vec<(IpAddr, bool)> = servers.chain(sorry).collect();
        let plain = all.iter().find(|(_, tunnel)| !tunnel);
        match plain {
            Some((address, _)) => AddressFamily::of(address),
            None if all.iter().all(|(address, _)| address.is_ipv6()) => AddressFamily::Ipv6,
            None => AddressFamily::Ipv4,
        }
    }
}

impl<'s> Server<'s> {
    fn new(real: RealServer<'s>, settings: &Settings, remarks: &mut Remarks) -> Self {
        let forwarding = real.forwarding.get().or_else(|| settings.forwarding.get()).copied();
        let weight = real.weight.get().or_else(|| settings.weight.get()).copied().unwrap_or(1);
        let inhibit =
            real.inhibit.get().copied().unwrap_or_else(|| settings.inhibit.get().is_some());
        let checks = real.checks(&settings.virtualhost, &settings.timing, remarks);
        let forwarding = forwarding.unwrap_or(Forwarding::Masquerade);
        Self { real, forwarding, weight, inhibit, checks }
    }
}
