use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::model::name::{Name, check_module_name, name_traits};
use crate::model::{AddressFamily, InvalidValue, seconds};
use crate::uapi::IP_VS_PENAME_MAXLEN;

const ENGINE_RULE: &str = "must be 1 to 16 characters of A-Z a-z 0-9 _ -";

/// Persistence (sticky sessions): a client that returns gets the same destination.
///
/// The kernel keeps a template that binds a client, or a network of clients, to a destination.
/// With a persistence engine, it keeps one for each session. Each new connection renews the
/// template. A destination of weight 0 still gets clients that have a template, unless the
/// sysctl `net.ipv4.vs.expire_quiescent_template` is 1.
///
/// ```
/// use std::time::Duration;
/// use ipvs_netlink::{Persistence, Service};
///
/// let web = Service::tcp("192.0.2.10:443".parse()?)
///     .persistence(Persistence::new(Duration::from_secs(360)).netmask([255, 255, 255, 0].into()));
/// assert_eq!(web.persistence.unwrap().to_string(), "persistent 360 mask 255.255.255.0");
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
#[doc(alias = "IP_VS_SVC_F_PERSISTENT")]
pub struct Persistence {
    /// The lifetime of a template after its last connection has ended, in whole seconds, 0 to
    /// 4294967. With 0, templates live for about a minute.
    ///
    /// The kernel counts the timeout in ticks, in 32 bits, and does not check for overflow. At
    /// 1000 ticks per second (`CONFIG_HZ`), a longer timeout would silently become a short
    /// one, so this crate refuses it. A kernel with 250 or 100 ticks per second can store and
    /// report longer timeouts. On a 32-bit kernel with 1000 ticks per second, templates with
    /// a timeout over 2147483 s expire at once.
    #[doc(alias = "IPVS_SVC_ATTR_TIMEOUT")]
    pub timeout: Duration,
    /// The part of the client address that counts. Clients that share it get the same
    /// destination. `None`, the default, means the whole address.
    #[doc(alias = "IPVS_SVC_ATTR_NETMASK")]
    pub netmask: Option<Netmask>,
    /// The persistence engine, which finds the session in the data of packets. `None`, the
    /// default, uses the client address only.
    #[doc(alias = "IPVS_SVC_ATTR_PE_NAME")]
    pub engine: Option<PersistenceEngine>,
}

impl Persistence {
    /// Creates persistence by the whole client address (`ipvsadm -p`). `timeout` is in whole
    /// seconds, 0 to 4294967.
    #[must_use]
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, netmask: None, engine: None }
    }

    /// Groups IPv4 clients by the bits of `mask` (`ipvsadm -M`). The bits may have any
    /// pattern.
    #[must_use]
    pub fn netmask(mut self, mask: Ipv4Addr) -> Self {
        self.netmask = Netmask::Ipv4(mask).canonical();
        self
    }

    /// Groups IPv6 clients by the first `length` bits, 1 to 128 (`ipvsadm -M`).
    #[must_use]
    pub fn prefix(mut self, length: u8) -> Self {
        self.netmask = Netmask::Ipv6Prefix(length).canonical();
        self
    }

    /// Sets the persistence engine (`ipvsadm --pe`).
    #[must_use]
    pub const fn engine(mut self, engine: PersistenceEngine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// Returns the same setting in the form in which clients read it: a netmask that covers
    /// the whole address becomes `None`.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.netmask = self.netmask.and_then(Netmask::canonical);
        self
    }

    pub(crate) fn check_netmask(&self, family: AddressFamily) -> Result<(), InvalidValue> {
        match (self.netmask, family) {
            (Some(Netmask::Ipv6Prefix(length)), AddressFamily::Ipv6)
                if !(1..=128).contains(&length) =>
            {
                let rule = "must be 1 to 128";
                Err(InvalidValue::new("persistence prefix", length.to_string(), rule))
            }
            (Some(netmask @ Netmask::Ipv4(_)), AddressFamily::Ipv6) => {
                let rule = "must be a prefix length for an IPv6 service";
                Err(InvalidValue::new("persistence netmask", netmask.to_string(), rule))
            }
            (Some(netmask @ Netmask::Ipv6Prefix(_)), AddressFamily::Ipv4) => {
                let rule = "must be a mask for an IPv4 service";
                Err(InvalidValue::new("persistence prefix", netmask.to_string(), rule))
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn check_timeout(&self) -> Result<(), InvalidValue> {
        seconds::check_persistence(self.timeout)
    }
}

impl fmt::Display for Persistence {
    /// The form of `ipvsadm -L`: `persistent 360 mask 255.255.255.0 pe sip`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "persistent {}", self.timeout.as_secs())?;
        if let Some(netmask) = self.netmask {
            write!(f, " mask {netmask}")?;
        }
        if let Some(engine) = self.engine {
            write!(f, " pe {engine}")?;
        }
        Ok(())
    }
}

/// The part of the client address that persistence uses.
///
/// The enum is exhaustive: there is one kind for each address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Netmask {
    /// The bits of an IPv4 address that count, in any pattern.
    Ipv4(Ipv4Addr),
    /// The number of leading bits of an IPv6 address that count, 1 to 128.
    Ipv6Prefix(u8),
}

impl Netmask {
    fn canonical(self) -> Option<Self> {
        let whole = matches!(self, Self::Ipv4(Ipv4Addr::BROADCAST) | Self::Ipv6Prefix(128));
        (!whole).then_some(self)
    }
}

impl fmt::Display for Netmask {
    /// A mask such as `255.255.255.0`, or a prefix length such as `64`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(mask) => mask.fmt(f),
            Self::Ipv6Prefix(length) => length.fmt(f),
        }
    }
}

/// The name of a persistence engine, which finds the session in the data of packets. The
/// kernel loads the module `ip_vs_pe_<name>` if it does not have the engine.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistenceEngine(Name<IP_VS_PENAME_MAXLEN>);

impl PersistenceEngine {
    /// `sip`: uses the Call-ID of SIP over UDP.
    pub const SIP: Self = Self(Name::known("sip"));

    /// Creates an engine from its kernel name.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 16 bytes, or has a character other than
    /// `A-Z a-z 0-9 _ -`. The kernel would pass such a name to `modprobe`.
    pub fn new(name: &str) -> Result<Self, InvalidValue> {
        let engine = Self(Name::given("persistence engine", name, ENGINE_RULE)?);
        engine.validate()?;
        Ok(engine)
    }

    /// Takes a name that the kernel reports. Returns `None` if the name is too long, or if it
    /// is empty, which means no engine.
    pub(crate) fn reported(value: &[u8]) -> Option<Self> {
        Name::reported(value).map(Self).filter(|engine| !engine.as_bytes().is_empty())
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidValue> {
        check_module_name("persistence engine", self.as_bytes(), ENGINE_RULE)
    }
}

name_traits!(PersistenceEngine, PersistenceEngine::new);

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Persistence = Persistence::new(Duration::from_secs(60));

    #[test]
    fn a_whole_mask_is_no_mask() {
        assert_eq!(MINUTE.netmask(Ipv4Addr::BROADCAST), MINUTE);
        assert_eq!(MINUTE.prefix(128), MINUTE);
        let written = Persistence { netmask: Some(Netmask::Ipv6Prefix(128)), ..MINUTE };
        assert_eq!(written.canonical(), MINUTE);
    }

    #[test]
    fn the_mask_belongs_to_the_family() {
        let odd = MINUTE.netmask(Ipv4Addr::new(255, 0, 255, 0));
        assert!(odd.check_netmask(AddressFamily::Ipv4).is_ok());
        assert!(odd.check_netmask(AddressFamily::Ipv6).is_err());
        assert!(MINUTE.prefix(64).check_netmask(AddressFamily::Ipv4).is_err());
        for length in [0, 129, 255] {
            let error = MINUTE.prefix(length).check_netmask(AddressFamily::Ipv6).unwrap_err();
            assert_eq!(error.field(), "persistence prefix");
        }
        assert!(MINUTE.prefix(1).check_netmask(AddressFamily::Ipv6).is_ok());
    }

    #[test]
    fn timeouts_are_whole_seconds_that_no_kernel_overflows() {
        for timeout in [Duration::from_millis(1500), Duration::from_secs(4_294_968), Duration::MAX]
        {
            assert!(Persistence::new(timeout).check_timeout().is_err());
        }
        let longest = Persistence::new(Duration::from_secs(4_294_967));
        assert!(longest.check_timeout().is_ok());
        assert!(Persistence::new(Duration::ZERO).check_timeout().is_ok());
    }

    #[test]
    fn engines_have_plain_names() {
        assert_eq!("sip".parse(), Ok(PersistenceEngine::SIP));
        assert!(PersistenceEngine::new("sixteen_letters_").is_ok());
        assert!(PersistenceEngine::new("seventeen_letters").is_err());
        assert!(PersistenceEngine::new("s p").is_err());
        assert_eq!(PersistenceEngine::reported(b"\0"), None);
    }
}
