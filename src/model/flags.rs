use std::fmt;
use std::str::FromStr;

use crate::model::{InvalidValue, Scheduler};
use crate::uapi::{
    IP_VS_SVC_F_HASHED, IP_VS_SVC_F_ONEPACKET, IP_VS_SVC_F_PERSISTENT, IP_VS_SVC_F_SCHED1,
    IP_VS_SVC_F_SCHED2, IP_VS_SVC_F_SCHED3,
};

bitflags::bitflags! {
    /// Flags of a service: one-packet scheduling and three flags that belong to the
    /// scheduler.
    ///
    /// Persistence is not a flag here; it is the field
    /// [`Service::persistence`](crate::Service::persistence). Bits without a name are kept as
    /// the kernel reports them, and are written back.
    ///
    /// ```
    /// use ipvs_netlink::ServiceFlags;
    ///
    /// let flags: ServiceFlags = "sh-fallback,sh-port".parse()?;
    /// assert_eq!(flags, ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT);
    /// # Ok::<(), ipvs_netlink::InvalidValue>(())
    /// ```
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
    #[doc(alias = "IPVS_SVC_ATTR_FLAGS")]
    pub struct ServiceFlags: u32 {
        /// One-packet scheduling (`ipvsadm --ops`): the kernel schedules each UDP packet by
        /// itself and keeps no connection. Masquerading then does not rewrite answers, so
        /// they have the address of the destination. The flag has no effect on TCP and SCTP.
        const ONE_PACKET = IP_VS_SVC_F_ONEPACKET;
        /// The first flag of the scheduler (`flag-1`).
        const SCHED_1 = IP_VS_SVC_F_SCHED1;
        /// The second flag of the scheduler (`flag-2`).
        const SCHED_2 = IP_VS_SVC_F_SCHED2;
        /// The third flag of the scheduler (`flag-3`). No scheduler up to Linux 7.1 reads it.
        const SCHED_3 = IP_VS_SVC_F_SCHED3;
        /// For `sh`: choose another destination if the hash selects one that has weight 0 or
        /// is overloaded. Without the flag, the client is refused.
        const SH_FALLBACK = IP_VS_SVC_F_SCHED1;
        /// For `sh`: hash the source port too.
        const SH_PORT = IP_VS_SVC_F_SCHED2;
        /// For `mh`: choose another destination if the hash selects one that has weight 0 or
        /// is overloaded. Without the flag, the client is refused.
        const MH_FALLBACK = IP_VS_SVC_F_SCHED1;
        /// For `mh`: hash the source port too.
        const MH_PORT = IP_VS_SVC_F_SCHED2;

        const _ = !0;
    }
}

/// The names of scheduler flags. Names that belong to a scheduler come before the general
/// names, because the first match wins.
const NAMES: [(Option<Scheduler>, ServiceFlags, &str); 7] = [
    (Some(Scheduler::SOURCE_HASHING), ServiceFlags::SH_FALLBACK, "sh-fallback"),
    (Some(Scheduler::SOURCE_HASHING), ServiceFlags::SH_PORT, "sh-port"),
    (Some(Scheduler::MAGLEV_HASHING), ServiceFlags::MH_FALLBACK, "mh-fallback"),
    (Some(Scheduler::MAGLEV_HASHING), ServiceFlags::MH_PORT, "mh-port"),
    (None, ServiceFlags::SCHED_1, "flag-1"),
    (None, ServiceFlags::SCHED_2, "flag-2"),
    (None, ServiceFlags::SCHED_3, "flag-3"),
];

impl ServiceFlags {
    const NOT_FLAGS: Self = Self::from_bits_retain(IP_VS_SVC_F_PERSISTENT | IP_VS_SVC_F_HASHED);

    /// Takes the flags from the word that the kernel reports. Drops the bit of persistence,
    /// which has its own field, and `HASHED`, which is internal to the kernel.
    pub(crate) const fn reported(word: u32) -> Self {
        Self::from_bits_retain(word).difference(Self::NOT_FLAGS)
    }

    pub(crate) fn validate(self) -> Result<(), InvalidValue> {
        if self.intersects(Self::NOT_FLAGS) {
            let rule = "must not have bits 0x1 (set `persistence` instead) or 0x2 (internal to the kernel)";
            return Err(InvalidValue::new("flags", format!("{:#x}", self.bits()), rule));
        }
        Ok(())
    }

    /// Returns all flags by the names that `scheduler` gives them, joined by commas:
    /// `sh-port,ops,0x40`.
    pub(crate) fn named_for(self, scheduler: Scheduler) -> String {
        let named = self.scheduler_flags(scheduler);
        let rest = self.difference(Self::SCHED_1 | Self::SCHED_2 | Self::SCHED_3).to_string();
        let words = [named, rest];
        words.into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>().join(",")
    }

    /// Returns the bits that have no name.
    pub(crate) fn unnamed(self) -> Self {
        self.difference(Self::ONE_PACKET | Self::SCHED_1 | Self::SCHED_2 | Self::SCHED_3)
    }

    /// Returns the flag that `ipvsadm -b NAME` sets for `scheduler`: a flag of the scheduler,
    /// or one with a general name.
    pub(crate) fn scheduler_flag(name: &str, scheduler: Scheduler) -> Option<Self> {
        let mut flags = NAMES.iter().filter(|(owner, ..)| owner.is_none_or(|it| it == scheduler));
        flags.find(|(.., known)| *known == name).map(|(_, flag, _)| *flag)
    }

    /// Returns the names of the scheduler flags for `scheduler`, joined by commas, in the form
    /// of `ipvsadm -b`: `sh-fallback,sh-port`. A flag for which the scheduler has no name is
    /// `flag-1`, `flag-2` or `flag-3`. The text is empty if no scheduler flag is set.
    #[must_use]
    pub fn scheduler_flags(self, scheduler: Scheduler) -> String {
        let mut rest = self & (Self::SCHED_1 | Self::SCHED_2 | Self::SCHED_3);
        let mut names = Vec::new();
        for (owner, flag, name) in NAMES {
            if owner.is_none_or(|owner| owner == scheduler) && rest.contains(flag) {
                rest.remove(flag);
                names.push(name);
            }
        }
        names.join(",")
    }
}

impl fmt::Display for ServiceFlags {
    /// The names `ops`, `flag-1`, `flag-2` and `flag-3`, joined by commas. Bits without a name
    /// follow as one hexadecimal number. [`ServiceFlags::scheduler_flags`] returns the names
    /// that a scheduler gives its flags.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.contains(Self::ONE_PACKET) {
            words.push("ops".to_owned());
        }
        words.extend(Some(self.scheduler_flags(Scheduler::NONE)).filter(|names| !names.is_empty()));
        let unnamed = self.unnamed();
        if !unnamed.is_empty() {
            words.push(format!("{:#x}", unnamed.bits()));
        }
        f.write_str(&words.join(","))
    }
}

impl FromStr for ServiceFlags {
    type Err = InvalidValue;

    /// Parses the output of `Display`, and the names `sh-fallback`, `sh-port`, `mh-fallback`
    /// and `mh-port`. The empty text means no flag.
    ///
    /// # Errors
    ///
    /// A word between the commas is none of these.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word = |word: &str| {
            if word == "ops" {
                return Some(Self::ONE_PACKET);
            }
            if let Some((_, flag, _)) = NAMES.iter().find(|(_, _, name)| *name == word) {
                return Some(*flag);
            }
            let digits = word.strip_prefix("0x")?;
            let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let bits = plain.then(|| u32::from_str_radix(digits, 16).ok())??;
            Some(Self::from_bits_retain(bits))
        };
        let rule = "must be a comma-separated list of ops, sh-fallback, sh-port, mh-fallback, \
                    mh-port, flag-1, flag-2, flag-3 or 0x<bits>";
        text.split(',')
            .filter(|_| !text.is_empty())
            .map(word)
            .collect::<Option<Self>>()
            .ok_or_else(|| InvalidValue::new("flags", format!("{text:?}"), rule))
    }
}

#[cfg(test)]
mod tests {
    use super::{Scheduler, ServiceFlags};

    #[test]
    fn names_depend_on_the_scheduler() {
        let flags = ServiceFlags::SH_FALLBACK | ServiceFlags::SH_PORT | ServiceFlags::ONE_PACKET;
        assert_eq!(flags.scheduler_flags(Scheduler::SOURCE_HASHING), "sh-fallback,sh-port");
        assert_eq!(flags.scheduler_flags(Scheduler::MAGLEV_HASHING), "mh-fallback,mh-port");
        assert_eq!(flags.scheduler_flags(Scheduler::ROUND_ROBIN), "flag-1,flag-2");
        assert_eq!(ServiceFlags::empty().scheduler_flags(Scheduler::SOURCE_HASHING), "");
    }

    #[test]
    fn text_round_trips() {
        for bits in [0, 4, 8, 0x3c, 0x40, 0x8000_0004] {
            let flags = ServiceFlags::from_bits_retain(bits);
            assert_eq!(flags.to_string().parse(), Ok(flags), "{flags}");
        }
        assert_eq!(
            "mh-fallback,ops".parse(),
            Ok(ServiceFlags::MH_FALLBACK | ServiceFlags::ONE_PACKET)
        );
        for text in [",", "sh", "0x", "0x+1", "ops,,ops", "0x100000000"] {
            assert!(text.parse::<ServiceFlags>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_kernels_own_bits_are_not_flags() {
        assert_eq!(ServiceFlags::reported(0x47), ServiceFlags::from_bits_retain(0x44));
        assert!(ServiceFlags::from_bits_retain(0x1).validate().is_err());
        assert!(ServiceFlags::from_bits_retain(0x2).validate().is_err());
        assert!(ServiceFlags::from_bits_retain(0x40).validate().is_ok());
    }
}
