use std::net::SocketAddr;
use std::time::Duration;

use crate::model::invalid::OnBroken;
use crate::model::{
    AddressFamily, InvalidValue, Persistence, Protocol, Scheduler, ServiceFlags, ServiceId, Stats,
};

/// A virtual service and its settings.
///
/// The value is its own builder: the constructor takes what names the service, the
/// setters the rest. What is not set has `ipvsadm`'s default: scheduler `wlc`, no
/// flags, no persistence.
///
/// What the kernel reports comes in the same form, so that a service read back
/// equals the service written, in its [`canonical`](Self::canonical) form. The kernel can store a persistence timeout, a mask
/// or an engine for a service that is not persistent, where they mean nothing;
/// those are not part of this value, and writing it clears them.
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
    /// What names the service.
    pub id: ServiceId,
    /// How a new connection chooses its destination.
    pub scheduler: Scheduler,
    /// One-packet scheduling and the scheduler's own flags.
    pub flags: ServiceFlags,
    /// Sticky sessions, if any.
    pub persistence: Option<Persistence>,
}

impl Service {
    /// The service named `id`, with the defaults.
    #[must_use]
    pub fn new(id: ServiceId) -> Self {
        Self {
            id,
            scheduler: Scheduler::default(),
            flags: ServiceFlags::empty(),
            persistence: None,
        }
    }

    /// The TCP service at `address` (`ipvsadm -t`).
    #[must_use]
    pub fn tcp(address: SocketAddr) -> Self {
        Self::new(ServiceId::tcp(address))
    }

    /// The UDP service at `address` (`ipvsadm -u`).
    #[must_use]
    pub fn udp(address: SocketAddr) -> Self {
        Self::new(ServiceId::udp(address))
    }

    /// The SCTP service at `address` (`ipvsadm --sctp-service`).
    #[must_use]
    pub fn sctp(address: SocketAddr) -> Self {
        Self::new(ServiceId::sctp(address))
    }

    /// The service of the packets of `family` that carry the firewall mark `mark`
    /// (`ipvsadm -f`).
    #[must_use]
    pub fn fwmark(mark: u32, family: AddressFamily) -> Self {
        Self::new(ServiceId::fwmark(mark, family))
    }

    /// Sets the scheduler (`ipvsadm -s`).
    #[must_use]
    pub fn scheduler(mut self, scheduler: Scheduler) -> Self {
        self.scheduler = scheduler;
        self
    }

    /// Sets all flags (`ipvsadm -b`).
    #[must_use]
    pub fn flags(mut self, flags: ServiceFlags) -> Self {
        self.flags = flags;
        self
    }

    /// Adds one-packet scheduling (`ipvsadm --ops`).
    #[must_use]
    pub fn one_packet(mut self) -> Self {
        self.flags |= ServiceFlags::ONE_PACKET;
        self
    }

    /// Makes the service persistent by the client's whole address (`ipvsadm -p`).
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

    /// The same settings in the form in which they are read back.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.persistence = self.persistence.map(Persistence::canonical);
        self
    }

    /// Whether weight 0 takes a destination of this service out of rotation gently:
    /// connections go on, and new clients go to the others.
    ///
    /// Not so with `dh`, nor with `sh` and `mh` without their fallback flag, which refuse
    /// the clients whose hash leads to a destination of weight 0. Not so with UDP, where a
    /// client that goes on sending from its port stays, and not with one-packet
    /// scheduling, which has no connections. Deleting the destination is better there.
    ///
    /// A firewall mark may carry any protocol: without one-packet scheduling it is taken not
    /// to carry UDP.
    #[must_use]
    pub fn drains_at_weight_zero(&self) -> bool {
        let connected = match self.id {
            // The flag of one-packet scheduling is without effect on others.
            ServiceId::Address { protocol, .. } => protocol != Protocol::UDP,
            ServiceId::Fwmark { .. } => !self.flags.contains(ServiceFlags::ONE_PACKET),
        };
        connected && !self.refuses_at_weight_zero()
    }

    /// Whether the scheduler refuses clients because of a destination of weight 0.
    pub(crate) fn refuses_at_weight_zero(&self) -> bool {
        match self.scheduler {
            Scheduler::DESTINATION_HASHING => true,
            Scheduler::SOURCE_HASHING => !self.flags.contains(ServiceFlags::SH_FALLBACK),
            Scheduler::MAGLEV_HASHING => !self.flags.contains(ServiceFlags::MH_FALLBACK),
            _ => false,
        }
    }

    /// Checks what adding this service asks for. Clients do so before they send
    /// anything.
    ///
    /// # Errors
    ///
    /// Names the first field that breaks a rule: a protocol other than TCP, UDP
    /// and SCTP, an IPv6 scope or flow label, firewall mark 0, a scheduler or
    /// engine name that could not be a module's, flag bits that are not flags, a
    /// persistence timeout with a fraction or over 4294967 s, a mask of the other
    /// family, a prefix outside 1 to 128.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        self.id.check_balanced()?;
        self.validate_settings()
    }

    /// Checks as [`Service::validate`], but lets any protocol pass: for a service that exists.
    pub(crate) fn validate_settings(&self) -> Result<(), InvalidValue> {
        self.check_settings(&mut Err)?;
        self.check_names()
    }

    /// Checks every setting but the names. Of a service that exists, some may be excused.
    pub(crate) fn check_settings<E>(&self, on_broken: &mut impl OnBroken<E>) -> Result<(), E> {
        self.id.check_encodable().or_else(&mut *on_broken)?;
        self.flags.validate().or_else(&mut *on_broken)?;
        if let Some(persistence) = &self.persistence {
            persistence.check_netmask(self.id.family()).or_else(&mut *on_broken)?;
            persistence.check_timeout().or_else(&mut *on_broken)?;
        }
        Ok(())
    }

    /// Checks the names that the kernel may hand to `modprobe`. This check is never excused.
    pub(crate) fn check_names(&self) -> Result<(), InvalidValue> {
        if let Some(engine) = self.persistence.as_ref().and_then(|it| it.engine.as_ref()) {
            engine.validate()?;
        }
        self.scheduler.validate()
    }
}

/// A service as the kernel reports it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ServiceEntry {
    /// The service and its settings.
    pub service: Service,
    /// What it has carried, all destinations together.
    pub stats: Stats,
}

impl ServiceEntry {
    /// An entry as a kernel might report it, for tests and for tables put together
    /// otherwise.
    #[must_use]
    pub const fn new(service: Service, stats: Stats) -> Self {
        Self { service, stats }
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
