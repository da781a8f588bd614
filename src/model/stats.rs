use std::fmt;
use std::iter::Sum;

/// Counters of the traffic of a service or a destination.
///
/// The kernel updates the counters every two seconds, but not while the sysctl
/// `net.ipv4.vs.run_estimation` is 0 or `est_cpulist` is empty. A counter counts since the object was
/// created or since its counters were last set to 0. The kernel may update a service and
/// its destinations at different moments, so the sum over the destinations can differ from
/// the counters of the service.
///
/// All counters are 64 bits wide. Linux before 4.1 reports all of them except the bytes in
/// 32 bits; on such a kernel they wrap at 2^32.
///
/// [`since`](Self::since) compares two readings. `sum` adds many:
///
/// ```no_run
/// # use ipvs_netlink::{Client, Stats};
/// # let mut ipvs = Client::connect()?;
/// let total: Stats = ipvs.services()?.iter().map(|entry| entry.stats).sum();
/// println!("{} connections in all", total.connections);
/// # Ok::<(), ipvs_netlink::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[doc(alias = "IPVS_SVC_ATTR_STATS64")]
pub struct Stats {
    /// Number of scheduled connections.
    pub connections: u64,
    /// Number of packets from clients.
    pub incoming_packets: u64,
    /// Number of packets to clients. Always 0 with direct routing and tunnels, because the
    /// answers do not pass through this host.
    pub outgoing_packets: u64,
    /// Number of bytes from clients.
    pub incoming_bytes: u64,
    /// Number of bytes to clients. Always 0 with direct routing and tunnels.
    pub outgoing_bytes: u64,
    /// The present rates.
    pub rates: Rates,
}

impl Stats {
    /// Returns what the counters have grown by since the reading `before` of the same
    /// object. The rates in the result are those of `self`.
    ///
    /// ```
    /// use ipvs_netlink::Stats;
    ///
    /// let mut before = Stats::default();
    /// before.connections = 100;
    /// let mut now = before;
    /// now.connections = 130;
    /// assert_eq!(now.since(&before)?.connections, 30);
    ///
    /// now.connections = 7;
    /// let reset = now.since(&before).unwrap_err();
    /// assert_eq!(reset.counted.connections, 7);
    /// # Ok::<(), ipvs_netlink::CountersReset>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`CountersReset`] if a counter is lower than before.
    ///
    /// Some resets cannot be seen. If the counters were set to 0 and have since grown beyond
    /// their former values, the result is too small and is no error. That can happen if
    /// somebody zeroed the counters (`ipvsadm -Z`), if the object was deleted and added
    /// again, if the module `ip_vs` was reloaded, or if the host was restarted. Read often to
    /// make that unlikely: a busy counter needs as long to grow back as it took to reach its
    /// value.
    ///
    /// A destination that is deleted and added to the same service again within about two
    /// minutes keeps its counters; that is no reset.
    pub const fn since(&self, before: &Self) -> Result<Self, CountersReset> {
        let growth = (
            self.connections.checked_sub(before.connections),
            self.incoming_packets.checked_sub(before.incoming_packets),
            self.outgoing_packets.checked_sub(before.outgoing_packets),
            self.incoming_bytes.checked_sub(before.incoming_bytes),
            self.outgoing_bytes.checked_sub(before.outgoing_bytes),
        );
        match growth {
            (
                Some(connections),
                Some(incoming_packets),
                Some(outgoing_packets),
                Some(incoming_bytes),
                Some(outgoing_bytes),
            ) => Ok(Self {
                connections,
                incoming_packets,
                outgoing_packets,
                incoming_bytes,
                outgoing_bytes,
                rates: self.rates,
            }),
            _ => Err(CountersReset { counted: *self }),
        }
    }
}

/// The counters were set to 0 between two readings. See [`Stats::since`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct CountersReset {
    /// The counters of the later reading: what was counted since the last reset. What was
    /// counted between the earlier reading and the reset is lost.
    pub counted: Stats,
}

impl fmt::Display for CountersReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the counters were reset between the two readings")
    }
}

impl std::error::Error for CountersReset {}

/// Rates of the traffic of a service or a destination.
///
/// The kernel averages each rate over about eight seconds and rounds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Rates {
    /// Scheduled connections per second.
    pub connections: u64,
    /// Packets from clients per second.
    pub incoming_packets: u64,
    /// Packets to clients per second.
    pub outgoing_packets: u64,
    /// Bytes from clients per second.
    pub incoming_bytes: u64,
    /// Bytes to clients per second.
    pub outgoing_bytes: u64,
}

impl Sum for Stats {
    /// Adds each counter and each rate. A sum over 2^64 - 1 stays there.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, stats| Self {
            connections: sum.connections.saturating_add(stats.connections),
            incoming_packets: sum.incoming_packets.saturating_add(stats.incoming_packets),
            outgoing_packets: sum.outgoing_packets.saturating_add(stats.outgoing_packets),
            incoming_bytes: sum.incoming_bytes.saturating_add(stats.incoming_bytes),
            outgoing_bytes: sum.outgoing_bytes.saturating_add(stats.outgoing_bytes),
            rates: [sum.rates, stats.rates].into_iter().sum(),
        })
    }
}

impl<'s> Sum<&'s Self> for Stats {
    fn sum<I: Iterator<Item = &'s Self>>(all: I) -> Self {
        all.copied().sum()
    }
}

impl Sum for Rates {
    /// Adds each rate. A sum over 2^64 - 1 stays there.
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, rates| Self {
            connections: sum.connections.saturating_add(rates.connections),
            incoming_packets: sum.incoming_packets.saturating_add(rates.incoming_packets),
            outgoing_packets: sum.outgoing_packets.saturating_add(rates.outgoing_packets),
            incoming_bytes: sum.incoming_bytes.saturating_add(rates.incoming_bytes),
            outgoing_bytes: sum.outgoing_bytes.saturating_add(rates.outgoing_bytes),
        })
    }
}

impl<'r> Sum<&'r Self> for Rates {
    fn sum<I: Iterator<Item = &'r Self>>(all: I) -> Self {
        all.copied().sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::strategies;

    /// Each counter of `stats`.
    const fn counters(stats: &Stats) -> [u64; 5] {
        [
            stats.connections,
            stats.incoming_packets,
            stats.outgoing_packets,
            stats.incoming_bytes,
            stats.outgoing_bytes,
        ]
    }

    proptest! {
        #[test]
        fn growth_is_each_counters_own_or_a_reset(
            before in strategies::stats(),
            now in strategies::stats(),
        ) {
            let pairs = || counters(&before).into_iter().zip(counters(&now));
            match now.since(&before) {
                Ok(growth) => {
                    prop_assert!(pairs().all(|(before, now)| before <= now));
                    let expected: Vec<u64> = pairs().map(|(before, now)| now - before).collect();
                    prop_assert_eq!(counters(&growth).to_vec(), expected);
                    prop_assert_eq!(growth.rates, now.rates);
                }
                Err(reset) => {
                    prop_assert!(pairs().any(|(before, now)| before > now));
                    prop_assert_eq!(reset.counted, now);
                }
            }
        }

        #[test]
        fn a_sum_is_each_counters_own(all in prop::collection::vec(strategies::stats(), 0..4)) {
            let sum: Stats = all.iter().sum();
            for field in 0..5 {
                let expected = all.iter().fold(0_u64, |sum, stats| {
                    sum.saturating_add(counters(stats)[field])
                });
                prop_assert_eq!(counters(&sum)[field], expected);
            }
            let rates: Rates = all.iter().map(|stats| stats.rates).sum();
            prop_assert_eq!(sum.rates, rates);
            let connections =
                all.iter().fold(0_u64, |sum, it| sum.saturating_add(it.rates.connections));
            prop_assert_eq!(rates.connections, connections);
        }
    }

    #[test]
    fn an_equal_reading_has_not_grown() {
        let stats = Stats { connections: 5, ..Stats::default() };
        assert_eq!(stats.since(&stats), Ok(Stats::default()));
    }
}
