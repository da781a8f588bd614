use std::fmt;

use crate::model::{PersistenceEngine, Scheduler, ServiceFlags};

/// Number of entries of the hash tables of `sh` and `dh`. A kernel can be built with another
/// number for `sh` (`CONFIG_IP_VS_SH_TAB_BITS`).
pub(super) const HASH_PLACES: u64 = 256;

/// How often `wrr` may look at a destination for one connection.
pub(super) const MOST_LOOKS: u64 = 1_000_000;

/// The kind of a [`Warning`](crate::Warning).
///
/// | kind | settings | what the kernel does |
/// | --- | --- | --- |
/// | [`PortZeroWithoutPersistence`](Self::PortZeroWithoutPersistence) | service at port 0, not persistent | refuses every connection |
/// | [`AddressNotUnicast`](Self::AddressNotUnicast) | service at 0.0.0.0, `::`, or at a multicast, broadcast or IPv4-mapped address | balances no packets from other hosts |
/// | [`NoScheduler`](Self::NoScheduler) | scheduler `none` | refuses every connection |
/// | [`UnknownScheduler`](Self::UnknownScheduler) | a scheduler that no known kernel has | refuses the service, unless it has the scheduler |
/// | [`UnknownEngine`](Self::UnknownEngine) | a persistence engine that no known kernel has | refuses the service, unless it has the engine |
/// | [`FlagsWithoutEffect`](Self::FlagsWithoutEffect) | scheduler flags that the scheduler does not read | ignores the flags |
/// | [`OnePacketWithoutEffect`](Self::OnePacketWithoutEffect) | one-packet scheduling of a service that is not UDP | ignores the flag |
/// | [`EngineNeedsUdp`](Self::EngineNeedsUdp) | engine `sip` in a service that is not UDP | drops every packet |
/// | [`MaskCoversNothing`](Self::MaskCoversNothing) | persistence with the mask 0.0.0.0 | sends all clients to one destination |
/// | [`PortWithoutEffect`](Self::PortWithoutEffect) | a destination with a port of its own, where the kernel does not rewrite ports | keeps the port of the service |
/// | [`OnePacketMasquerade`](Self::OnePacketMasquerade) | masquerading in a one-packet UDP service | does not rewrite answers |
/// | [`ThresholdsWithoutEffect`](Self::ThresholdsWithoutEffect) | thresholds in a one-packet UDP service | counts no connections |
/// | [`NoUsableDestination`](Self::NoUsableDestination) | no destination with a weight above 0 | refuses every connection |
/// | [`WeightZeroRefuses`](Self::WeightZeroRefuses) | weight 0 with `dh`, or with `sh` or `mh` without the fallback flag | refuses clients whose hash selects the destination |
/// | [`WeightsWithoutEffect`](Self::WeightsWithoutEffect) | different weights with `rr`, `lc` or `dh` | ignores the weights |
/// | [`HashesOneAddress`](Self::HashesOneAddress) | `dh` in a service at an address | sends all connections to one destination |
/// | [`CountsActiveOnly`](Self::CountsActiveOnly) | `sed`, `nq` or `ovf` in a UDP service | sends all connections to one destination |
/// | [`HashTableTooSmall`](Self::HashTableTooSmall) | weights that sum to more than 256 with `sh`, or more than 256 destinations with `dh` | sends no connections to some destinations |
/// | [`WeightsFarApart`](Self::WeightsFarApart) | weights far apart with `wrr` | takes long to choose a destination |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WarningKind {
    /// A service at port 0 is not persistent. The kernel balances port 0 only with
    /// persistence. Otherwise it refuses every connection.
    PortZeroWithoutPersistence,
    /// The address of a service is unspecified, multicast, broadcast, or IPv4 mapped to IPv6.
    /// No address means "all addresses", and IPVS balances packets from other hosts only if
    /// they are sent to a unicast address.
    AddressNotUnicast,
    /// The scheduler is `none`, so the kernel refuses every connection.
    NoScheduler,
    /// The scheduler is not in [`Scheduler::ALL`]. A kernel without this scheduler refuses the
    /// service.
    #[non_exhaustive]
    UnknownScheduler {
        /// The scheduler.
        scheduler: Scheduler,
        /// The scheduler that the name may mean. See [`Scheduler::similar`].
        similar: Option<Scheduler>,
    },
    /// The persistence engine is not [`PersistenceEngine::SIP`], the only one in the sources
    /// of the kernel. A kernel without this engine refuses the service.
    UnknownEngine(PersistenceEngine),
    /// The scheduler does not read these flags, or these bits have no meaning.
    FlagsWithoutEffect(ServiceFlags),
    /// One-packet scheduling is set for a service that is not UDP. It has no effect.
    OnePacketWithoutEffect,
    /// The persistence engine `sip` is set for a TCP or SCTP service. It reads UDP only, so the
    /// kernel drops every packet.
    EngineNeedsUdp,
    /// The persistence mask is 0.0.0.0. All clients count as one and get the same destination.
    MaskCoversNothing,
    /// A destination has a port of its own, but connections keep the port that the client
    /// chose. Only masquerading rewrites ports. In persistent services at port 0 and of
    /// firewall marks, masquerading does not rewrite ports either, because a persistence
    /// template covers all ports.
    PortWithoutEffect,
    /// A destination of a UDP service with one-packet scheduling is masqueraded. The kernel
    /// keeps no connection, so it cannot rewrite answers, and they have the address of the
    /// destination. With a persistence engine, answers are rewritten.
    OnePacketMasquerade,
    /// A destination of a UDP service with one-packet scheduling has thresholds. The service
    /// has no connections, so thresholds have no effect.
    ThresholdsWithoutEffect,
    /// The service has no destination with a weight above 0, so the kernel refuses every
    /// connection.
    NoUsableDestination,
    /// A destination has weight 0, and the scheduler refuses clients whose hash selects it.
    /// [`ServiceFlags::SH_FALLBACK`] and [`ServiceFlags::MH_FALLBACK`] send these clients to
    /// other destinations. `dh` has no such flag.
    WeightZeroRefuses(Scheduler),
    /// Destinations have different weights, but the scheduler only checks whether a weight is
    /// 0.
    WeightsWithoutEffect(Scheduler),
    /// The scheduler `dh` hashes the destination address of packets, but the service has only
    /// one address. One destination gets all connections.
    HashesOneAddress,
    /// The scheduler (`sed`, `nq` or `ovf`) counts only active connections, but connections of
    /// a UDP service are never active. One destination gets all connections.
    CountsActiveOnly(Scheduler),
    /// The hash table of the scheduler is too small. With `dh`, each destination takes one of
    /// 256 entries; with `sh`, as many entries as its weight. The destinations that were added
    /// first get no connections. A kernel can be built with a larger table.
    HashTableTooSmall(Scheduler),
    /// The weights of destinations are far apart, and the scheduler is `wrr`. While the heavy
    /// ones are overloaded, each connection makes the kernel go down from the largest weight in
    /// steps of the greatest common divisor of all weights, and look at all destinations in each
    /// step. Meanwhile the processor does nothing else: with the weights 2147483647 and 1, this
    /// took 15 s for each connection. There are more than a million looks for this warning, some
    /// milliseconds.
    ///
    /// Source: `net/netfilter/ipvs/ip_vs_wrr.c:ip_vs_wrr_schedule`.
    WeightsFarApart,
}

impl WarningKind {
    /// Returns the name for programs and metrics, such as `port-zero-without-persistence`. The
    /// name of a kind never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PortZeroWithoutPersistence => "port-zero-without-persistence",
            Self::AddressNotUnicast => "address-not-unicast",
            Self::NoScheduler => "no-scheduler",
            Self::UnknownScheduler { .. } => "unknown-scheduler",
            Self::UnknownEngine(_) => "unknown-engine",
            Self::FlagsWithoutEffect(_) => "flags-without-effect",
            Self::OnePacketWithoutEffect => "one-packet-without-effect",
            Self::EngineNeedsUdp => "engine-needs-udp",
            Self::MaskCoversNothing => "mask-covers-nothing",
            Self::PortWithoutEffect => "port-without-effect",
            Self::OnePacketMasquerade => "one-packet-masquerade",
            Self::ThresholdsWithoutEffect => "thresholds-without-effect",
            Self::NoUsableDestination => "no-usable-destination",
            Self::WeightZeroRefuses(_) => "weight-zero-refuses",
            Self::WeightsWithoutEffect(_) => "weights-without-effect",
            Self::HashesOneAddress => "hashes-one-address",
            Self::CountsActiveOnly(_) => "counts-active-only",
            Self::HashTableTooSmall(_) => "hash-table-too-small",
            Self::WeightsFarApart => "weights-far-apart",
        }
    }
}

impl fmt::Display for WarningKind {
    /// A clause for people: the setting and its effect.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::PortZeroWithoutPersistence => {
                "port 0 works only with persistence, so every connection is refused"
            }
            Self::AddressNotUnicast => {
                "the address is not a unicast address, so no packets from other hosts are balanced"
            }
            Self::NoScheduler => "the scheduler none refuses every connection",
            Self::UnknownScheduler { scheduler, similar } => {
                write!(f, "no known kernel has a scheduler {scheduler}")?;
                return match similar {
                    Some(similar) => write!(f, "; did you mean {similar}?"),
                    None => Ok(()),
                };
            }
            Self::UnknownEngine(engine) => {
                return write!(f, "no known kernel has a persistence engine {engine}");
            }
            Self::FlagsWithoutEffect(flags) => {
                return write!(f, "the scheduler does not read the flags {flags}");
            }
            Self::OnePacketWithoutEffect => "one-packet scheduling has no effect without UDP",
            Self::EngineNeedsUdp => {
                "the persistence engine sip reads UDP only, so every packet is dropped"
            }
            Self::MaskCoversNothing => {
                "a persistence mask of 0.0.0.0 sends all clients to one destination"
            }
            Self::PortWithoutEffect => {
                "the port of the destination has no effect: connections keep the port that the \
                 client chose"
            }
            Self::OnePacketMasquerade => {
                "with one-packet scheduling, masquerading does not rewrite answers"
            }
            Self::ThresholdsWithoutEffect => {
                "thresholds have no effect with one-packet scheduling, which keeps no connections"
            }
            Self::NoUsableDestination => {
                "no destination has a weight above 0, so every connection is refused"
            }
            Self::WeightZeroRefuses(scheduler) => {
                return write!(
                    f,
                    "weight 0 makes the scheduler {scheduler} refuse clients whose hash selects \
                     this destination"
                );
            }
            Self::WeightsWithoutEffect(scheduler) => {
                return write!(f, "the scheduler {scheduler} ignores the different weights");
            }
            Self::HashesOneAddress => {
                "the scheduler dh sends all connections to one destination, because the service \
                 has one address"
            }
            Self::CountsActiveOnly(scheduler) => {
                return write!(
                    f,
                    "the scheduler {scheduler} sends all connections to one destination, because \
                     UDP connections are never active"
                );
            }
            Self::HashTableTooSmall(scheduler) => {
                return write!(
                    f,
                    "the table of the scheduler {scheduler} has {HASH_PLACES} entries, which are \
                     too few: some destinations get no connections"
                );
            }
            Self::WeightsFarApart => {
                "the weights are so far apart that the scheduler wrr takes long for a connection \
                 while the heaviest destinations are overloaded"
            }
        };
        f.write_str(text)
    }
}
