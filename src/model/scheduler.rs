use crate::model::InvalidValue;
use crate::model::name::{Name, check_module_name, name_traits};
use crate::uapi::IP_VS_SCHEDNAME_MAXLEN;

const RULE: &str = "must be 1 to 15 characters of A-Z a-z 0-9 _ -";

/// The scheduler of a service: the algorithm that chooses a destination for each new
/// connection.
///
/// The value is the kernel's name of the scheduler, so schedulers of newer kernels need no new
/// version of this crate. [`Scheduler::ROUND_ROBIN`], `Scheduler::new("rr")?` and
/// `"rr".parse()?` are equal. [`Service::scheduler_named`](crate::Service::scheduler_named)
/// takes the name directly. The kernel loads the module `ip_vs_<name>` if it does not have the
/// scheduler.
///
/// Weight 0 takes a destination out of rotation. Most schedulers skip such a destination.
/// `dh`, `sh` and `mh` refuse clients whose hash selects it, unless
/// [`ServiceFlags::SH_FALLBACK`](crate::ServiceFlags::SH_FALLBACK) or
/// [`ServiceFlags::MH_FALLBACK`](crate::ServiceFlags::MH_FALLBACK) is set; `dh` has no such
/// flag.
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
    /// `rr`: round robin. Each destination in turn; weights other than 0 have no effect.
    pub const ROUND_ROBIN: Self = Self::known("rr");
    /// `wrr`: weighted round robin. Destinations in turn, in proportion to their weights.
    /// Weights that are far apart cost time:
    /// [`WarningKind::WeightsFarApart`](crate::WarningKind::WeightsFarApart).
    pub const WEIGHTED_ROUND_ROBIN: Self = Self::known("wrr");
    /// `lc`: the destination with the fewest connections. An active connection counts as 256
    /// inactive ones. Weights other than 0 have no effect.
    pub const LEAST_CONNECTION: Self = Self::known("lc");
    /// `wlc`: the destination with the fewest connections in proportion to its weight. The
    /// default of this crate and of `ipvsadm`.
    pub const WEIGHTED_LEAST_CONNECTION: Self = Self::known("wlc");
    /// `lblc`: connections to the same address go to the same destination, until it is
    /// overloaded; then as `wlc`. For transparent caches.
    ///
    /// Load the modules of `lblc` and `lblcr` when the host starts. If the kernel loads one
    /// of them for a new service while a network namespace with IPVS ends, the kernel
    /// deadlocks (seen on Linux 6.12): `ip_vs_lblc.c` and `ip_vs_ctl.c` wait for each other's
    /// locks.
    pub const LOCALITY_BASED_LEAST_CONNECTION: Self = Self::known("lblc");
    /// `lblcr`: as `lblc`, with a set of destinations for each address.
    pub const LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION: Self = Self::known("lblcr");
    /// `dh`: by a hash of the destination address. Weights other than 0 have no effect.
    pub const DESTINATION_HASHING: Self = Self::known("dh");
    /// `sh`: by a hash of the source address, in proportion to the weights.
    /// [`ServiceFlags::SH_PORT`](crate::ServiceFlags::SH_PORT) adds the source port to the
    /// hash.
    pub const SOURCE_HASHING: Self = Self::known("sh");
    /// `sed`: the destination with the shortest expected delay, (active connections + 1) /
    /// weight.
    pub const SHORTEST_EXPECTED_DELAY: Self = Self::known("sed");
    /// `nq`: a destination without active connections if there is one, else as `sed`.
    pub const NEVER_QUEUE: Self = Self::known("nq");
    /// `fo`: the destination with the highest weight among those that are not overloaded.
    /// Linux 3.18.
    pub const WEIGHTED_FAILOVER: Self = Self::known("fo");
    /// `ovf`: the destination with the highest weight, until it has as many active connections
    /// as its weight; then the next. If all are full, new connections are refused. Linux 4.3.
    pub const WEIGHTED_OVERFLOW: Self = Self::known("ovf");
    /// `mh`: Maglev consistent hashing of the source address.
    /// [`ServiceFlags::MH_PORT`](crate::ServiceFlags::MH_PORT) adds the source port to the
    /// hash. Linux 4.18.
    pub const MAGLEV_HASHING: Self = Self::known("mh");
    /// `twos`: the less loaded one of two destinations that are picked at random by weight.
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

    /// Creates a scheduler from its kernel name, such as `rr`.
    ///
    /// # Errors
    ///
    /// The name is empty, longer than 15 bytes, or has a character other than
    /// `A-Z a-z 0-9 _ -`. The kernel would pass such a name to `modprobe`.
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
