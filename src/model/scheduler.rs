use crate::model::InvalidValue;
use crate::model::name::{Name, check_module_name, name_traits};
use crate::uapi::IP_VS_SCHEDNAME_MAXLEN;

const RULE: &str = "must be 1 to 15 characters of A-Z a-z 0-9 _ -";

/// The scheduling algorithm of a service: how a new connection chooses its
/// destination.
///
/// It is the kernel's name for the algorithm, so that a scheduler that is new in
/// tomorrow's kernel can be used today: `"rr".parse()` and
/// [`Scheduler::ROUND_ROBIN`] are the same value. The kernel loads the module
/// `ip_vs_<name>` when it does not have the scheduler yet.
///
/// *Weight 0* takes a destination out of rotation. Most schedulers skip it; `dh`,
/// `sh` and `mh` refuse the clients whose hash leads there instead, unless
/// [`ServiceFlags::SH_FALLBACK`](crate::ServiceFlags::SH_FALLBACK) or
/// [`ServiceFlags::MH_FALLBACK`](crate::ServiceFlags::MH_FALLBACK) is set.
///
/// ```
/// use ipvs_netlink::Scheduler;
///
/// let scheduler: Scheduler = "wrr".parse()?;
/// assert_eq!(scheduler, Scheduler::WEIGHTED_ROUND_ROBIN);
/// assert_eq!(scheduler.to_string(), "wrr");
/// assert!("../evil".parse::<Scheduler>().is_err());
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[doc(alias = "IPVS_SVC_ATTR_SCHED_NAME")]
pub struct Scheduler(Name<IP_VS_SCHEDNAME_MAXLEN>);

impl Scheduler {
    /// `rr`: each destination in turn, whatever its weight, but for 0.
    pub const ROUND_ROBIN: Self = Self::known("rr");
    /// `wrr`: in turn, in proportion to the weights.
    pub const WEIGHTED_ROUND_ROBIN: Self = Self::known("wrr");
    /// `lc`: the destination with the fewest connections, an active one counting
    /// as 256 inactive ones.
    pub const LEAST_CONNECTION: Self = Self::known("lc");
    /// `wlc`: the fewest connections for its weight. The default of this crate
    /// and of `ipvsadm`.
    pub const WEIGHTED_LEAST_CONNECTION: Self = Self::known("wlc");
    /// `lblc`: by destination address to the same server while it is not
    /// overloaded, else as `wlc`. For transparent caches.
    ///
    /// Load its module, and that of `lblcr`, when the host starts: loading them with the
    /// first service that asks for them deadlocks the kernel (seen on 6.12) if a network
    /// namespace with IPVS ends at that moment. Both wait for each other's locks,
    /// `ip_vs_lblc.c` for that of namespaces, `ip_vs_ctl.c` for its own.
    pub const LOCALITY_BASED_LEAST_CONNECTION: Self = Self::known("lblc");
    /// `lblcr`: as `lblc` with a set of servers for each address.
    pub const LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION: Self = Self::known("lblcr");
    /// `dh`: by a hash of the destination address. Ignores weights but 0.
    pub const DESTINATION_HASHING: Self = Self::known("dh");
    /// `sh`: by a hash of the source address (and port with
    /// [`ServiceFlags::SH_PORT`](crate::ServiceFlags::SH_PORT)), in proportion to
    /// the weights.
    pub const SOURCE_HASHING: Self = Self::known("sh");
    /// `sed`: the shortest expected delay, (active connections + 1) / weight.
    pub const SHORTEST_EXPECTED_DELAY: Self = Self::known("sed");
    /// `nq`: an idle destination at once, else as `sed`.
    pub const NEVER_QUEUE: Self = Self::known("nq");
    /// `fo`: always the destination with the highest weight, of those not above their
    /// threshold. Linux 3.18.
    pub const WEIGHTED_FAILOVER: Self = Self::known("fo");
    /// `ovf`: the highest weight until it has as many active connections, then
    /// the next; refuses when all are full. Linux 4.3.
    pub const WEIGHTED_OVERFLOW: Self = Self::known("ovf");
    /// `mh`: Maglev consistent hashing of the source address (and port with
    /// [`ServiceFlags::MH_PORT`](crate::ServiceFlags::MH_PORT)). Linux 4.18.
    pub const MAGLEV_HASHING: Self = Self::known("mh");
    /// `twos`: the better of two destinations picked at random by weight.
    /// Linux 5.12.
    pub const WEIGHTED_RANDOM_TWOS_CHOICE: Self = Self::known("twos");
    /// `none`: no scheduler. Every new connection is refused.
    pub const NONE: Self = Self::known("none");

    /// The schedulers in the sources of Linux 7.1. A kernel may be older, may be built without
    /// some of them, or may have others. The slice grows with new kernels.
    pub const ALL: &[Self] = &[
        Self::ROUND_ROBIN,
        Self::WEIGHTED_ROUND_ROBIN,
        Self::LEAST_CONNECTION,
        Self::WEIGHTED_LEAST_CONNECTION,
        Self::LOCALITY_BASED_LEAST_CONNECTION,
        Self::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION,
        Self::DESTINATION_HASHING,
        Self::SOURCE_HASHING,
        Self::SHORTEST_EXPECTED_DELAY,
        Self::NEVER_QUEUE,
        Self::WEIGHTED_FAILOVER,
        Self::WEIGHTED_OVERFLOW,
        Self::MAGLEV_HASHING,
        Self::WEIGHTED_RANDOM_TWOS_CHOICE,
        Self::NONE,
    ];

    const fn known(name: &str) -> Self {
        Self(Name::known(name))
    }

    /// A scheduler by its kernel name.
    ///
    /// # Errors
    ///
    /// When the name is empty, longer than 15 bytes, or has a character other
    /// than `A-Z a-z 0-9 _ -`: the kernel would pass it to `modprobe`.
    pub fn new(name: &str) -> Result<Self, InvalidValue> {
        let scheduler = Self(Name::given("scheduler", name, RULE)?);
        scheduler.validate()?;
        Ok(scheduler)
    }

    pub(crate) fn reported(value: &[u8]) -> Option<Self> {
        Name::reported(value).map(Self)
    }

    pub(crate) fn validate(&self) -> Result<(), InvalidValue> {
        check_module_name("scheduler", self.as_bytes(), RULE)
    }
}

name_traits!(Scheduler, Scheduler::new);

impl Default for Scheduler {
    /// [`Scheduler::WEIGHTED_LEAST_CONNECTION`].
    fn default() -> Self {
        Self::WEIGHTED_LEAST_CONNECTION
    }
}

#[cfg(test)]
mod tests {
    use super::Scheduler;

    #[test]
    fn parsing_gives_the_constant() {
        assert_eq!("rr".parse(), Ok(Scheduler::ROUND_ROBIN));
        assert_eq!("none".parse(), Ok(Scheduler::NONE));
        assert!(matches!(Scheduler::new("sh"), Ok(Scheduler::SOURCE_HASHING)));
    }

    #[test]
    fn a_name_of_tomorrow_is_kept() {
        let scheduler: Scheduler = "fair_queue-2".parse().unwrap();
        assert_eq!(scheduler.to_string(), "fair_queue-2");
    }

    #[test]
    fn names_for_modprobe_are_plain() {
        for name in ["", "sixteen_letters_", "r r", "rr\n", "../x", "r\u{e9}", "-a;b"] {
            let error = Scheduler::new(name).unwrap_err();
            assert_eq!(error.field(), "scheduler");
        }
    }

    #[test]
    fn what_a_kernel_reports_is_kept_but_not_written() {
        let odd = Scheduler::reported(b"\xff odd\0").unwrap();
        assert_eq!(odd.to_string(), "\\xff odd");
        assert_eq!(odd.as_str(), None);
        assert!(odd.validate().is_err());
    }
}
