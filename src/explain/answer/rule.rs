//! How schedulers choose.

use std::fmt;

/// How a scheduler chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// `rr`: the next destination in turn. The kernel does not show whose turn it is.
    InTurn,
    /// `wrr`: in turn, each as often as its weight. The kernel does not show whose turn it is.
    InTurnByWeight,
    /// `lc`: the least connections, an active one as much as 256 inactive ones.
    LeastConnections,
    /// `wlc`: the least connections for its weight, an active one as much as 256 inactive ones.
    LeastConnectionsByWeight,
    /// `sed`: the least active connections for its weight, with the new one counted.
    ShortestDelay,
    /// `nq`: the first destination without active connections, else as `sed`.
    IdleFirst,
    /// `fo`: the highest weight.
    HighestWeight,
    /// `ovf`: the highest weight among those with no more active connections than their weight.
    HighestWeightWithRoom,
    /// `lblc`, `lblcr`: a destination that the kernel has cached for the address to which the
    /// client connects, else as `wlc`. The kernel does not show the cache.
    Locality,
    /// `twos`: two random destinations, and of them the one with fewer connections for its weight.
    RandomTwo,
    /// A scheduler that this crate does not know.
    Unknown,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InTurn => "in turn",
            Self::InTurnByWeight => "in turn, each as often as its weight",
            Self::LeastConnections => "the least connections (active x 256 + inactive)",
            Self::LeastConnectionsByWeight => {
                "the least connections for its weight ((active x 256 + inactive) / weight)"
            }
            Self::ShortestDelay => {
                "the least active connections for its weight ((active + 1) / weight)"
            }
            Self::IdleFirst => {
                "the first one without active connections, else the least (active + 1) / weight"
            }
            Self::HighestWeight => "the highest weight",
            Self::HighestWeightWithRoom => {
                "the highest weight among those with no more active connections than their weight"
            }
            Self::Locality => {
                "the one cached for the address that the client connects to, else the least \
                 connections for its weight"
            }
            Self::RandomTwo => {
                "two at random by their weights, then the one with fewer connections for its weight"
            }
            Self::Unknown => "by a rule that this program does not know",
        })
    }
}
