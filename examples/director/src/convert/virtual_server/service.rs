use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use ipvs_netlink::health::{Combination, PoolPolicy, WhenDead};
use ipvs_netlink::table::TableService;
use ipvs_netlink::{
    Destination, DestinationId, Forwarding, Persistence, PersistenceEngine, Protocol, Service,
    ServiceFlags, ServiceId,
};

use crate::configuration::{Checks, Commands, ServiceConfiguration, SharedAddress};
use crate::convert::quorum::{self, Quorum};
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::with_port;
use crate::convert::virtual_server::settings::{Mask, PERSISTENCE};
use crate::convert::virtual_server::{Server, VirtualServer};

/// The time and the pause of commands that the converted file asks for.
const COMMAND_TIME: Duration = Duration::from_secs(5);

/// The kinds of checks that are counted to find the commonest.
const MOST_KINDS: usize = 64;

/// What all services of a virtual server have in common.
pub(super) struct Shared<'v, 's> {
    virtual_server: &'v VirtualServer<'s>,
    policy: PoolPolicy,
    commands: Option<Commands>,
}

impl<'v, 's> Shared<'v, 's> {
    pub(super) fn new(virtual_server: &'v VirtualServer<'s>, remarks: &mut Remarks) -> Self {
        let settings = &virtual_server.settings;
        let mut policy = PoolPolicy::new().keep_last(false);
        policy = policy.when_dead(when_dead(virtual_server, remarks));
        let quorum = quorum(virtual_server, remarks);
        policy = policy.quorum(quorum.quorum).hysteresis(quorum.hysteresis);
        let (up, down) = (settings.quorum_up.get(), settings.quorum_down.get());
        if virtual_server.entries.len() > 1 {
            let reason = "it runs for each service of the group; keepalived runs it once";
            settings.quorum_up.tell(Fate::Changed, reason, remarks);
            settings.quorum_down.tell(Fate::Changed, reason, remarks);
        }
        let commands = (up.is_some() || down.is_some()).then(|| Commands {
            available: up.cloned().unwrap_or_default(),
            unavailable: down.cloned().unwrap_or_default(),
            timeout: COMMAND_TIME,
            retry: COMMAND_TIME,
            // keepalived runs the scripts of each virtual server by itself.
            shared_address: SharedAddress::Ignore,
        });
        Self { virtual_server, policy, commands }
    }

    /// Makes the service. `None` if it cannot be.
    pub(super) fn service(
        &self,
        id: ServiceId,
        remarks: &mut Remarks,
    ) -> Option<ServiceConfiguration> {
        let statement = self.virtual_server.statement;
        let service = self.settings(id, remarks);
        if let Err(error) = service.validate() {
            statement.tell(Fate::LeftOut, format!("{id}: {error}"), remarks);
            return None;
        }
        let mut table = TableService::new(service);
        let mut all = Vec::new();
        for server in &self.virtual_server.servers {
            let Some(destination) = self.destination(id, server, remarks) else { continue };
            if table.destination(destination.id).is_some() {
                let reason = format!("{id} has the destination {} already", destination.id);
                server.real.statement.tell(Fate::LeftOut, reason, remarks);
                continue;
            }
            all.push((destination.id, checks(server, destination.id, remarks)));
            table.insert(destination);
        }
        if all.is_empty() {
            statement.tell(Fate::LeftOut, format!("{id} has no destination left"), remarks);
            return None;
        }
        let checks = commonest(&all);
        let checks_of = all.into_iter().filter(|(_, other)| *other != checks);
        Some(ServiceConfiguration {
            checks_of: checks_of.collect::<BTreeMap<DestinationId, Checks>>(),
            checks,
            table,
            policy: self.policy.clone().sorry(self.sorry(id, remarks)),
            commands: self.commands.clone(),
        })
    }

    fn settings(&self, id: ServiceId, remarks: &mut Remarks) -> Service {
        let settings = &self.virtual_server.settings;
        let mut service = Service::new(id);
        if let Some(scheduler) = settings.scheduler.get() {
            service = service.scheduler(*scheduler);
        }
        let mut flags = ServiceFlags::empty();
        for (flag, slot) in &settings.flags {
            let is_udp = id.address().is_none()
                || settings.protocol.look().is_none_or(|it| *it.0 == Protocol::UDP);
            if *flag == ServiceFlags::ONE_PACKET && !is_udp {
                slot.tell(Fate::NotNeeded, "it has an effect on UDP only", remarks);
            } else {
                flags |= *flag;
            }
        }
        service = service.flags(flags);
        if id.address().is_none() {
            settings.protocol.tell(Fate::NotNeeded, "a firewall mark has no protocol", remarks);
        }
        match self.persistence(id, remarks) {
            Some(persistence) => service.persistence(persistence),
            None => service,
        }
    }

    fn persistence(&self, id: ServiceId, remarks: &mut Remarks) -> Option<Persistence> {
        let settings = &self.virtual_server.settings;
        let mask = settings.mask.get().copied();
        let timeout = settings.persistence.get().copied();
        let timeout = timeout.or_else(|| mask.map(|_| PERSISTENCE));
        let has_no_port = id.address().is_some_and(|address| address.port() == 0);
        let timeout = match timeout {
            None if has_no_port => {
                let reason = "without a port it is persistent for 360 s, as keepalived makes it";
                self.virtual_server.statement.tell(Fate::NotNeeded, reason, remarks);
                Some(PERSISTENCE)
            }
            timeout => timeout,
        };
        let Some(timeout) = timeout else {
            let reason = "it has no effect without persistence_timeout";
            settings.engine.tell(Fate::NotNeeded, reason, remarks);
            return None;
        };
        let mut persistence = Persistence::new(Duration::from_secs(timeout.into()));
        match (mask, id.family()) {
            (Some(Mask::Ipv4(mask)), ipvs_netlink::AddressFamily::Ipv4) => {
                persistence = persistence.netmask(mask);
            }
            (Some(Mask::Ipv6(length)), ipvs_netlink::AddressFamily::Ipv6) => {
                persistence = persistence.prefix(length);
            }
            (Some(_), _) => {
                let reason = format!("it is not for the family of {id}");
                settings.mask.tell(Fate::LeftOut, reason, remarks);
            }
            (None, _) => {}
        }
        match settings.engine.get().map(|name| PersistenceEngine::new(name)) {
            Some(Ok(engine)) => persistence = persistence.engine(engine),
            Some(Err(error)) => settings.engine.tell(Fate::LeftOut, error.to_string(), remarks),
            None => {}
        }
        Some(persistence)
    }

    /// Returns the port that keepalived writes.
    fn port(&self, id: ServiceId, forwarding: Forwarding, given: Option<u16>) -> u16 {
        match (id.address(), forwarding) {
            (Some(_), Forwarding::Masquerade) if self.virtual_server.is_group => given.unwrap_or(0),
            (Some(address), Forwarding::Masquerade) => given.unwrap_or(address.port()),
            (Some(address), _) => address.port(),
            (None, Forwarding::Masquerade) => given.unwrap_or(0),
            (None, _) => 0,
        }
    }

    fn destination(
        &self,
        id: ServiceId,
        server: &Server<'_>,
        remarks: &mut Remarks,
    ) -> Option<Destination> {
        let (real, statement) = (&server.real, server.real.statement);
        let port = self.port(id, server.forwarding, real.port);
        if real.port.is_some_and(|given| given != port) {
            let reason =
                format!("without NAT the port is that of the service, {port}, also in keepalived");
            statement.tell(Fate::NotNeeded, reason, remarks);
        }
        let dynamic = server.checks.iter().find_map(|check| check.says_weight.as_ref());
        let weight = match dynamic {
            Some(place) if server.weight != 100 => {
                let reason = format!(
                    "the weight of {} is 100 now, so that an exit code says the weight that it said; \
                     with the exit code 0 the weight was {}",
                    with_port(real.address, real.port),
                    server.weight
                );
                remarks.add(place, "misc_dynamic", Fate::Changed, reason);
                let given = [&real.weight, &self.virtual_server.settings.weight];
                if let Some(given) = given.into_iter().find(|slot| slot.look().is_some()) {
                    given.tell(Fate::Changed, "with misc_dynamic it is 100", remarks);
                }
                100
            }
            _ => server.weight,
        };
        let upper = real.upper.get().copied().unwrap_or(0);
        let mut lower = real.lower.get().copied().unwrap_or(0);
        if lower > upper {
            let reason = "the kernel takes none above uthreshold";
            real.lower.tell(Fate::LeftOut, reason, remarks);
            lower = 0;
        }
        let address = SocketAddr::new(real.address, port);
        let destination =
            Destination::new(address, server.forwarding).weight(weight).thresholds(upper, lower);
        match destination.validate(id) {
            Ok(()) => Some(destination),
            Err(error) => {
                let reason = format!("{} of {id}: {error}", with_port(real.address, real.port));
                statement.tell(Fate::LeftOut, reason, remarks);
                None
            }
        }
    }

    fn sorry(&self, id: ServiceId, remarks: &mut Remarks) -> Option<Destination> {
        let settings = &self.virtual_server.settings;
        let (address, port) = *settings.sorry.get()?;
        let forwarding = settings.sorry_forwarding.get().or_else(|| settings.forwarding.get());
        let forwarding = forwarding.copied().unwrap_or(Forwarding::Masquerade);
        let port = match forwarding {
            // keepalived fills in the port of real servers only.
            Forwarding::Masquerade => port.unwrap_or(0),
            _ => self.port(id, forwarding, port),
        };
        let sorry = Destination::new(SocketAddr::new(address, port), forwarding);
        match sorry.validate(id) {
            Ok(()) => Some(sorry),
            Err(error) => {
                settings.sorry.tell(Fate::LeftOut, format!("{id}: {error}"), remarks);
                let reason = "the sorry server is left out";
                settings.sorry_forwarding.tell(Fate::LeftOut, reason, remarks);
                None
            }
        }
    }
}

/// Returns the checks of a destination. Ports are left out where they are the destination's.
fn checks(server: &Server<'_>, id: DestinationId, remarks: &mut Remarks) -> Checks {
    let mut checks = Vec::new();
    for check in &server.checks {
        let mut probe = check.probe.clone();
        let own = id.address.port();
        if probe.port == Some(own) {
            probe.port = None;
        }
        let needs_port = !matches!(
            probe.kind,
            ipvs_netlink::health::probe::ProbeKind::Icmp
                | ipvs_netlink::health::probe::ProbeKind::Command(_)
        );
        if needs_port && probe.port.is_none() && own == 0 {
            let reason = format!("{id} has no port, and no connect_port says which one is checked");
            server.real.statement.tell(Fate::LeftOut, reason, remarks);
            continue;
        }
        checks.push((probe, check.pace));
    }
    Checks { checks, combination: Combination::All }
}

/// Returns the checks that most destinations have.
fn commonest(all: &[(DestinationId, Checks)]) -> Checks {
    let mut kinds: Vec<(&Checks, usize)> = Vec::new();
    for (_, checks) in all {
        let full = kinds.len() >= MOST_KINDS;
        match kinds.iter_mut().find(|(kind, _)| *kind == checks) {
            Some((_, count)) => *count += 1,
            None if full => {}
            None => kinds.push((checks, 1)),
        }
    }
    let commonest = kinds.into_iter().rev().max_by_key(|(_, count)| *count);
    commonest.map(|(checks, _)| checks.clone()).unwrap_or_default()
}

fn when_dead(virtual_server: &VirtualServer<'_>, remarks: &mut Remarks) -> WhenDead {
    let (servers, all) = (&virtual_server.servers, &virtual_server.settings.inhibit);
    if servers.iter().all(|server| server.inhibit) {
        all.tell_unused(remarks);
        if all.look().is_some() {
            for server in servers {
                let reason = "the virtual server says it";
                server.real.inhibit.tell(Fate::NotNeeded, reason, remarks);
            }
        }
        return WhenDead::WeightZero;
    }
    let reason = "it holds for all real servers of a service or for none: dead ones are deleted";
    if servers.iter().any(|server| server.inhibit && server.real.inhibit.look().is_none()) {
        all.tell(Fate::Changed, reason, remarks);
    }
    all.tell_unused(remarks);
    for server in servers {
        match server.real.inhibit.get() {
            Some(true) => server.real.inhibit.tell(Fate::Changed, reason, remarks),
            Some(false) => {
                let reason = "dead destinations of this service are deleted";
                server.real.inhibit.tell(Fate::NotNeeded, reason, remarks);
            }
            None => {}
        }
    }
    WhenDead::Delete
}

fn quorum(virtual_server: &VirtualServer<'_>, remarks: &mut Remarks) -> Quorum {
    let settings = &virtual_server.settings;
    let weights: Vec<u32> = virtual_server.servers.iter().map(|server| server.weight).collect();
    let asked = settings.quorum.get().copied().unwrap_or(1);
    let hysteresis = settings.hysteresis.get().copied().unwrap_or(0);
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    if u64::from(asked) > total {
        let reason = format!("keepalived takes the sum of the weights, {total}");
        settings.quorum.tell(Fate::NotNeeded, reason, remarks);
    }
    if u64::from(hysteresis) >= u64::from(asked).min(total) {
        let reason = "keepalived takes a hysteresis below the quorum";
        settings.hysteresis.tell(Fate::NotNeeded, reason, remarks);
    }
    let found = quorum::of_weights(&weights, asked, hysteresis);
    let is_plain = asked == 1 && hysteresis == 0;
    if found.exact && found.quorum == 1 {
        let reason = "one live destination reaches it";
        settings.quorum.tell(Fate::NotNeeded, reason, remarks);
    }
    if found.exact && found.hysteresis == 0 {
        let reason = "no number of destinations is between the limits";
        settings.hysteresis.tell(Fate::NotNeeded, reason, remarks);
    }
    if !found.exact && !is_plain {
        let Quorum { quorum, hysteresis, .. } = found;
        let reason = format!(
            "it counts weights; the director counts live destinations: quorum {quorum}, hysteresis {hysteresis}"
        );
        settings.quorum.tell(Fate::Changed, reason.clone(), remarks);
        settings.hysteresis.tell(Fate::Changed, reason, remarks);
    }
    if !is_plain && settings.sorry.look().is_some() {
        let reason = "the sorry server serves while no destination is live; keepalived takes it, and all \
                      others out, while the quorum is lost";
        settings.sorry.tell(Fate::Changed, reason, remarks);
    }
    if is_plain {
        return Quorum { quorum: 1, hysteresis: 0, exact: true };
    }
    found
}
