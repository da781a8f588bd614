use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::model::invalid::OnBroken;
use crate::model::{
    AddressFamily, InvalidValue, Persistence, Protocol, Scheduler, ServiceFlags, ServiceId, Stats,
};

/// A virtual service: its identity and its settings.
///
/// A constructor takes the identity. Setters take the rest and return the service, so calls
/// chain. The defaults are those of `ipvsadm`: scheduler `wlc`, no flags, no persistence.
///
/// A service that a client reads equals the service that was written, in its
/// [`canonical`](Self::canonical) form. The kernel can store a persistence timeout, mask or
/// engine for a service that is not persistent, where they have no effect. This type does
/// not hold them, so an update of such a service clears them.
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::{Scheduler, Service, ServiceFlags};
///
/// let web = Service::tcp("192.0.2.10:80".parse()?)
///     .scheduler(Scheduler::SOURCE_HASHING)
///     .flags(ServiceFlags::SH_FALLBACK)
///     .persistent(Duration::from_secs(300));
/// assert!(web.validate().is_ok());
/// assert_eq!(web.id.to_string(), "TCP 192.0.2.10:80");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "virtual server")]
pub struct Service {
    /// The identity: address, protocol and port, or firewall mark and family.
    pub id: ServiceId,
    /// The scheduler, which chooses the destination of each new connection. `wlc` by default.
    pub scheduler: Scheduler,
    /// One-packet scheduling and the flags of the scheduler. None by default.
    pub flags: ServiceFlags,
    /// Persistence (sticky sessions), or `None`, the default.
    pub persistence: Option<Persistence>,
}

impl Service {
    /// Creates the service named `id`, with default settings.
    #[must_use]
    pub fn new(id: ServiceId) -> Self {
        Self {
            id,
            scheduler: Scheduler::default(),
            flags: ServiceFlags::empty(),
            persistence: None,
        }
    }

    /// Creates the TCP service at `address` (`ipvsadm -t`).
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        Self::new(ServiceId::tcp(address))
    }

    /// Creates the UDP service at `address` (`ipvsadm -u`).
    #[must_use]
    pub fn udp(address: SocketAddr) -> Self {
        Self::new(ServiceId::udp(address))
    }

    /// Creates the SCTP service at `address` (`ipvsadm --sctp-service`).
    #[must_use]
    pub fn sctp(address: SocketAddr) -> Self {
        Self::new(ServiceId::sctp(address))
    }

    /// Creates the service for packets of `family` that carry the firewall mark `mark`
    /// (`ipvsadm -f`). Firewall rules set the mark, such as `meta mark set 5` of nftables.
    #[must_use]
    pub fn fwmark(mark: u32, family: AddressFamily) -> Self {
        Self::new(ServiceId::fwmark(mark, family))
    }

    /// Returns the identity, like the field `id`.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.id
    }

    /// Sets the scheduler (`ipvsadm -s`).
    #[must_use]
    pub fn scheduler(mut self, scheduler: Scheduler) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// Sets the scheduler by its kernel name, such as `rr` (`ipvsadm -s`).
    ///
    /// ```
    /// use ipvs_netlink::{Scheduler, Service};
    ///
    /// let web = Service::tcp("192.0.2.10:80".parse()?).scheduler_named("rr")?;
    /// assert_eq!(web.scheduler, Scheduler::ROUND_ROBIN);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Scheduler::new`]: no scheduler can have that name. A kernel without a
    /// scheduler of that name refuses the service later, as
    /// [`UnknownScheduler`](crate::ErrorKind::UnknownScheduler).
    pub fn scheduler_named(self, name: &str) -> Result<Self, InvalidValue> {
        Ok(self.scheduler(Scheduler::new(name)?))
    }

    /// Sets all flags (`ipvsadm -b`, `--ops`). Replaces flags that were set before.
    #[must_use]
    pub fn flags(mut self, flags: ServiceFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Sets the flag of one-packet scheduling (`ipvsadm --ops`), which is for UDP. Keeps
    /// other flags.
    #[must_use]
    pub fn one_packet(mut self) -> Self {
        self.flags |= ServiceFlags::ONE_PACKET;
        self
    }

    /// Makes the service persistent by the whole address of the client (`ipvsadm -p`).
    /// `timeout` is in whole seconds, 0 to 4294967.
    #[must_use]
    pub fn persistent(self, timeout: Duration) -> Self {
        self.persistence(Persistence::new(timeout))
    }

    /// Sets the persistence (`ipvsadm -p -M --pe`).
    #[must_use]
    pub fn persistence(mut self, persistence: Persistence) -> Self {
        self.persistence = Some(persistence);
        self
    }

    /// Returns the same settings in the form in which clients read them: a netmask that
    /// covers the whole address becomes `None`.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.persistence = self.persistence.map(Persistence::canonical);
        self
    }

    /// Returns `true` if weight 0 drains a destination of this service: its connections
    /// continue, and new clients go to other destinations.
    ///
    /// Weight 0 does not drain in these cases; delete the destination instead:
    ///
    /// - The scheduler is `dh`, or it is `sh` or `mh` without the fallback flag. It refuses
    ///   clients whose hash selects a destination of weight 0.
    /// - The service is a UDP service. A client that keeps sending from the same port keeps
    ///   its destination.
    /// - A service of a firewall mark has one-packet scheduling, so it has no connections.
    ///
    /// Packets with a firewall mark can be of any protocol. This method assumes that such a
    /// service does not serve UDP, unless one-packet scheduling is set.
    #[must_use]
    pub fn drains_at_weight_zero(&self) -> bool {
        let connected = match self.id {
            // One-packet scheduling has no effect on other protocols.
            ServiceId::Address { protocol, .. } => protocol != Protocol::UDP,
            ServiceId::Fwmark { .. } => !self.flags.contains(ServiceFlags::ONE_PACKET),
        };
        connected && !self.refuses_at_weight_zero()
    }

    /// Returns `true` if the scheduler refuses clients whose hash selects a destination of
    /// weight 0.
    pub(crate) fn refuses_at_weight_zero(&self) -> bool {
        match self.scheduler {
            Scheduler::DESTINATION_HASHING => true,
            Scheduler::SOURCE_HASHING => !self.flags.contains(ServiceFlags::SH_FALLBACK),
            Scheduler::MAGLEV_HASHING => !self.flags.contains(ServiceFlags::MH_FALLBACK),
            _ => false,
        }
    }

    /// Checks the service against the rules for new services. Clients do this before they
    /// send anything.
    ///
    /// # Errors
    ///
    /// The error names the first field that breaks a rule, and the rule:
    ///
    /// - The protocol is not TCP, UDP or SCTP.
    /// - The IPv6 address has a scope or flow label, or the firewall mark is 0.
    /// - The name of the scheduler or persistence engine cannot be part of a module's name.
    /// - Bits 0x1 or 0x2 of the flags are set.
    /// - The persistence timeout has a fraction of a second or is over 4294967 s.
    /// - The persistence mask is of the other address family, or the prefix length is not 1
    ///   to 128.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        self.id.check_balanced()?;
        self.validate_settings()
    }

    /// Checks like [`Service::validate`], but accepts any protocol. For services that exist.
    pub(crate) fn validate_settings(&self) -> Result<(), InvalidValue> {
        self.check_settings(&mut Err)?;
        self.check_names()
    }

    /// Checks all settings except the names. `on_broken` decides whether a broken rule ends
    /// the check, because an existing service may keep a value that breaks a rule.
    pub(crate) fn check_settings<E>(&self, on_broken: &mut impl OnBroken<E>) -> Result<(), E> {
        self.id.check_encodable().or_else(&mut *on_broken)?;
        self.flags.validate().or_else(&mut *on_broken)?;
        if let Some(persistence) = &self.persistence {
            persistence.check_netmask(self.id.family()).or_else(&mut *on_broken)?;
            persistence.check_timeout().or_else(&mut *on_broken)?;
        }
        Ok(())
    }

    /// Checks the names that the kernel may pass to `modprobe`. No service is exempt.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        if let Some(engine) = self.persistence.as_ref().and_then(|it| it.engine.as_ref()) {
            engine.validate()?;
        }
        self.scheduler.validate()
    }
}

/// A service as the kernel reports it: identity, settings and counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServiceEntry {
    /// The service: its identity and settings.
    pub service: Service,
    /// The counters of the service, which count the traffic of all its destinations.
    pub stats: Stats,
}

impl ServiceEntry {
    /// Creates an entry, for tests and for snapshots that a program builds itself.
    #[must_use]
    pub const fn new(service: Service, stats: Stats) -> Self {
        Self { service, stats }
    }

    /// Returns the identity of the service.
    #[must_use]
    pub const fn id(&self) -> ServiceId {
        self.service.id
    }
}

impl fmt::Display for Service {
    /// One line, as plans print services: identity, scheduler, flags, persistence. For
    /// example `TCP 192.0.2.10:80 sh flags sh-port persistent 300`. For the command of
    /// `ipvsadm` print a [`Change`](crate::Change).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.scheduler)?;
        if !self.flags.is_empty() {
            write!(f, " flags {}", self.flags.named_for(self.scheduler))?;
        }
        if let Some(persistence) = self.persistence {
            write!(f, " {persistence}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_protocol_that_ipvs_does_not_balance_is_refused_for_new_services_only() {
        let address = "10.0.0.1:0".parse().unwrap();
        let esp = Service::new(ServiceId::Address { protocol: Protocol::from_number(50), address });
        assert_eq!(esp.validate().unwrap_err().field(), "protocol");
        assert!(esp.validate_settings().is_ok());
    }

    #[test]
    fn an_identity_that_no_message_can_carry_is_refused() {
        let scoped = Service::tcp("[fe80::1%3]:80".parse().unwrap());
        assert_eq!(scoped.validate().unwrap_err().field(), "service address");
        let unmarked = Service::fwmark(0, AddressFamily::Ipv4);
        assert_eq!(unmarked.validate().unwrap_err().field(), "fwmark");
    }

    #[test]
    fn a_service_prints_on_one_line() {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        assert_eq!(web.to_string(), "TCP 192.0.2.10:80 wlc");
        let sticky = web
            .scheduler(Scheduler::SOURCE_HASHING)
            .flags(ServiceFlags::SH_PORT | ServiceFlags::from_bits_retain(0x40))
            .one_packet()
            .persistent(Duration::from_secs(300));
        let text = "TCP 192.0.2.10:80 sh flags sh-port,0x40 persistent 300";
        assert_eq!(
            Service { flags: sticky.flags - ServiceFlags::ONE_PACKET, ..sticky.clone() }
                .to_string(),
            text
        );
        assert_eq!(sticky.to_string(), text.replace("sh-port", "sh-port,ops"));
    }

    #[test]
    fn a_scheduler_is_set_by_its_name() {
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        assert_eq!(
            web.clone().scheduler_named("rr"),
            Ok(web.clone().scheduler(Scheduler::ROUND_ROBIN))
        );
        assert_eq!(web.scheduler_named("../x").unwrap_err().field(), "scheduler");
    }

    #[test]
    fn port_zero_without_persistence_is_the_users_to_choose() {
        assert!(Service::tcp("10.0.0.1:0".parse().unwrap()).validate().is_ok());
    }

    #[test]
    fn weight_zero_is_gentle_where_others_take_over() {
        let with = |scheduler, flags| {
            Service::tcp("10.0.0.1:80".parse().unwrap()).scheduler(scheduler).flags(flags)
        };
        let none = ServiceFlags::empty();
        assert!(with(Scheduler::ROUND_ROBIN, none).drains_at_weight_zero());
        assert!(with(Scheduler::ROUND_ROBIN, ServiceFlags::ONE_PACKET).drains_at_weight_zero());
        let mark = Service::fwmark(5, AddressFamily::Ipv4);
        assert!(mark.drains_at_weight_zero());
        assert!(!mark.one_packet().drains_at_weight_zero());
        assert!(!Service::udp("10.0.0.1:53".parse().unwrap()).drains_at_weight_zero());
        assert!(!with(Scheduler::DESTINATION_HASHING, none).drains_at_weight_zero());
        for (scheduler, fallback) in [
            (Scheduler::SOURCE_HASHING, ServiceFlags::SH_FALLBACK),
            (Scheduler::MAGLEV_HASHING, ServiceFlags::MH_FALLBACK),
        ] {
            assert!(!with(scheduler, none).drains_at_weight_zero());
            assert!(with(scheduler, fallback).drains_at_weight_zero());
        }
    }
}
