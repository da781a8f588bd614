use std::fmt;
use std::net::Ipv4Addr;
use std::time::Duration;

use crate::model::name::{Name, check_module_name, name_traits};
use crate::model::{AddressFamily, InvalidValue, seconds};
use crate::uapi::IP_VS_PENAME_MAXLEN;

const ENGINE_RULE: &str = "must be 1 to 16 characters of A-Z a-z 0-9 _ -";

/// Sticky sessions: a client that comes back goes to the same destination.
///
/// The kernel keeps a template for each client network (or for each session, with
/// an engine) and renews it with every connection. A destination of weight 0 still
/// gets the clients that are bound to it, unless the sysctl
/// `net.ipv4.vs.expire_quiescent_template` is 1.
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
    /// How long a template lives after its last connection ended, in whole
    /// seconds, 0 to 4294967. The kernel accepts 0; such templates live for about
    /// a minute.
    ///
    /// The kernel stores the timeout in ticks, in 32 bits, without a check: at 1000 Hz
    /// (`CONFIG_HZ`) more than 4294967 s become a short timeout in silence, so more are
    /// refused here. A kernel of 250 or 100 Hz can hold and report more. On a 32-bit
    /// kernel a timer reaches only half as far, 2147483 s at 1000 Hz: a template that is to
    /// live longer expires at once.
    #[doc(alias = "IPVS_SVC_ATTR_TIMEOUT")]
    pub timeout: Duration,
    /// Which part of the client's address counts, `None` (the default) for all of
    /// it: clients that share it share a destination.
    #[doc(alias = "IPVS_SVC_ATTR_NETMASK")]
    pub netmask: Option<Netmask>,
    /// The persistence engine, which finds the session in the packet's data;
    /// `None` (the default) goes by the client's address.
    #[doc(alias = "IPVS_SVC_ATTR_PE_NAME")]
    pub engine: Option<PersistenceEngine>,
}

impl Persistence {
    /// Persistence by the client's whole address (`ipvsadm -p`).
    #[must_use]
    pub const fn new(timeout: Duration) -> Self {
        Self { timeout, netmask: None, engine: None }
    }

    /// Groups IPv4 clients by the bits of `mask` (`ipvsadm -M`). The kernel takes
    /// any pattern.
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

    /// Lets `engine` find the session (`ipvsadm --pe`).
    #[must_use]
    pub const fn engine(mut self, engine: PersistenceEngine) -> Self {
        self.engine = Some(engine);
        self
    }

    /// The same setting in the form in which it is read back: a mask of the whole
    /// address is no mask.
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
                let rule = "an IPv6 service takes a prefix length";
                Err(InvalidValue::new("persistence netmask", netmask.to_string(), rule))
            }
            (Some(netmask @ Netmask::Ipv6Prefix(_)), AddressFamily::Ipv4) => {
                let rule = "an IPv4 service takes a mask";
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
    /// As `ipvsadm -L` shows it: `persistent 360 mask 255.255.255.0 pe sip`.
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

/// The part of a client's address that persistence goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Netmask {
    /// The bits of an IPv4 address that count, of any pattern.
    Ipv4(Ipv4Addr),
    /// How many leading bits of an IPv6 address count, 1 to 128.
    Ipv6Prefix(u8),
}

impl Netmask {
    fn canonical(self) -> Option<Self> {
        let whole = matches!(self, Self::Ipv4(Ipv4Addr::BROADCAST) | Self::Ipv6Prefix(128));
        (!whole).then_some(self)
    }
}

impl fmt::Display for Netmask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(mask) => mask.fmt(f),
            Self::Ipv6Prefix(length) => length.fmt(f),
        }
    }
}

/// The name of a persistence engine, which finds the session of a packet in its
/// data. The kernel loads the module `ip_vs_pe_<name>` when it does not have it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistenceEngine(Name<IP_VS_PENAME_MAXLEN>);

impl PersistenceEngine {
    /// `sip`: by the Call-ID of SIP over UDP.
    pub const SIP: Self = Self(Name::known("sip"));

    /// An engine by its kernel name.
    ///
    /// # Errors
    ///
    /// When the name is empty, longer than 16 bytes, or has a character other
    /// than `A-Z a-z 0-9 _ -`: the kernel would pass it to `modprobe`.
    pub fn new(name: &str) -> Result<Self, InvalidValue> {
        let engine = Self(Name::given("persistence engine", name, ENGINE_RULE)?);
        engine.validate()?;
        Ok(engine)
    }

    /// `None` for a name that is too long, and for the empty one, which says that
    /// there is no engine.
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
