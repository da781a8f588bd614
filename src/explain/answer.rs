use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::explain::{Attempt, Availability};
use crate::model::{Connections, DestinationId, Scheduler, Service, ServiceId};

/// Where a new connection would go, and why: the answer of
/// [`View::explain`](crate::explain::View::explain).
///
/// `Display` prints some lines for a person, see the [module](crate::explain).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explanation {
    /// The question.
    pub attempt: Attempt,
    /// The service that takes the packets, or `None` if the kernel has none for them.
    pub service: Option<Service>,
    /// The answer.
    pub answer: Answer,
    /// The destinations of the service in the order in which the scheduler considers them, with
    /// what decides.
    pub candidates: Vec<Candidate>,
    /// What can go wrong though the answer is right.
    pub notes: Vec<Note>,
}

/// Where a new connection would go.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// The connection goes to this destination.
    Destination {
        /// The destination. Its port is the one in the table, or that of the connection or
        /// template that decides.
        id: DestinationId,
        /// What decides.
        why: Why,
    },
    /// The connection goes to one of several destinations. The scheduler decides by a state of its
    /// own that the kernel does not show, or by chance.
    OneOf {
        /// The destinations in the order of the rule. No other one is possible.
        possible: Vec<DestinationId>,
        /// The rule.
        rule: Rule,
    },
    /// The connection goes to one of several destinations. Inputs that are unknown decide which.
    Undetermined {
        /// The destinations, the likeliest first. No other one is possible.
        possible: Vec<DestinationId>,
        /// Whether the connection can also be refused.
        refusal: bool,
        /// The inputs that are unknown and matter.
        missing: Vec<Missing>,
    },
    /// The connection goes nowhere.
    Nowhere(Reason),
}

/// Why a connection goes to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The kernel keeps a connection of the same client address and port.
    Connection {
        /// The state of the connection.
        state: String,
        /// The time after which the kernel deletes the connection, if no packet comes.
        expires: Duration,
    },
    /// The kernel keeps a template of persistence for the client.
    Template {
        /// The client, or the network of clients, that the template binds.
        client: SocketAddr,
        /// The time after which the kernel deletes the template, unless connections of the client
        /// are open or come.
        expires: Duration,
    },
    /// The scheduler has hashed the packet to a slot of its table.
    Slot(Slot),
    /// Every slot that the packet can hash to gives the destination. Which slot is unknown.
    EverySlot,
    /// The destination is the first one by the rule.
    First(Rule),
    /// No other destination is available.
    Only(Rule),
}

/// A slot of the table of `sh`, `dh` or `mh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Slot {
    /// The number of the slot, from 0.
    pub number: usize,
    /// The number of slots of the table.
    pub of: usize,
    /// The destination that owns the slot, or `None` if the slot is empty.
    pub owner: Option<DestinationId>,
    /// Whether the owner takes new connections. If not, a fallback has decided, or the connection
    /// is refused.
    pub availability: Availability,
}

impl fmt::Display for Slot {
    /// `slot 17 of 256, which belongs to 10.0.0.2:80 (weight 0)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "slot {} of {}", self.number, self.of)?;
        match (self.owner, self.availability) {
            (None, _) => f.write_str(", which is empty"),
            (Some(owner), Availability::Available) => write!(f, ", which belongs to {owner}"),
            (Some(owner), other) => write!(f, ", which belongs to {owner} ({other})"),
        }
    }
}

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

/// A destination that a scheduler considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// The destination.
    pub id: DestinationId,
    /// The weight.
    pub weight: u32,
    /// The connections.
    pub connections: Connections,
    /// Whether the scheduler takes the destination.
    pub availability: Availability,
    /// How many slots of the table the destination owns. `None` if the scheduler has no table, or
    /// if the table is unknown.
    pub slots: Option<usize>,
}

impl fmt::Display for Candidate {
    /// `10.0.0.2:80 weight 1, active 2 inactive 0 persistent 0, 86 slots`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} weight {}, {}", self.id, self.weight, self.connections)?;
        if let Some(slots) = self.slots {
            write!(f, ", {slots} slots")?;
        }
        match self.availability {
            Availability::Available | Availability::Quiesced => Ok(()),
            other => write!(f, ", {other}"),
        }
    }
}

/// An input that is unknown and matters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The size of the scheduler's table: see [`Tables`](crate::explain::Tables).
    TableSize(Scheduler),
    /// The last weight of a destination that was not 0, by which `mh` gives slots. 0 if the
    /// destination was added with weight 0.
    LastWeight(DestinationId),
    /// Whether the destination is overloaded: its connections are between its thresholds.
    Overload(DestinationId),
    /// The port of the client, which the service hashes.
    ClientPort,
    /// The address that the client connects to, which `dh` hashes.
    Address,
    /// Which table `mh` has: the service has more destinations than the table has slots, so the
    /// kernel has kept an older table.
    FormerTable,
    /// The session in the packet's data, by which a persistence engine finds a template.
    Session,
    /// Which of several destinations with the same address a template means: it has no port.
    TemplatePort,
    /// How the kernel hashes: Linux before 4.18 hashes otherwise.
    OldHash,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TableSize(scheduler) => {
                write!(f, "the size of the table of {scheduler}, an option of the kernel's build")
            }
            Self::LastWeight(id) => write!(f, "the last weight of {id} that was not 0"),
            Self::Overload(id) => {
                write!(f, "whether {id} is overloaded: its connections are between its thresholds")
            }
            Self::ClientPort => f.write_str("the port of the client, which the service hashes"),
            Self::Address => {
                f.write_str("the address that the client connects to, which dh hashes")
            }
            Self::FormerTable => f.write_str(
                "the older table that the kernel has kept: there are more destinations than slots",
            ),
            Self::Session => {
                f.write_str("the session in the packet, by which the persistence engine looks")
            }
            Self::TemplatePort => {
                f.write_str("the port of the destination, which the template does not show")
            }
            Self::OldHash => f.write_str("how a kernel before Linux 4.18 hashes"),
        }
    }
}

/// Why a connection goes nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No service takes the packets. They go on as if there were no IPVS.
    NoService,
    /// The address that the client connects to is not on this host, so the packets never come to
    /// IPVS.
    AddressNotLocal(SocketAddr),
    /// The client and the service are of different families: no packet can be from the one to the
    /// other.
    OtherFamily,
    /// The service is at port 0 and not persistent. The kernel uses port 0 only with persistence.
    PortZero,
    /// The FTP service takes packets to other ports only for clients with persistence.
    FtpWithoutPersistence,
    /// The client's port is 20: the kernel takes the packets for data of FTP and schedules nothing.
    FtpData,
    /// The service has the scheduler `none`.
    NoScheduler,
    /// The service has no destination.
    NoDestination,
    /// All destinations have weight 0.
    AllQuiesced,
    /// All destinations with a weight are overloaded.
    AllOverloaded,
    /// All destinations that `ovf` could take have more active connections than their weight.
    AllFull,
    /// The packet hashes to a slot whose owner takes no connections, and the scheduler has no
    /// fallback for the slot.
    Slot(Slot),
    /// The kernel keeps a connection of the same client address and port. The destination of the
    /// connection was deleted, so its packets are dropped.
    DestinationGone {
        /// The former destination.
        id: DestinationId,
        /// The time after which the kernel deletes the connection, if no packet comes.
        expires: Duration,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService => f.write_str("no service takes its packets"),
            Self::AddressNotLocal(address) => write!(
                f,
                "{} is not an address of this host, so the packets do not come to IPVS",
                address.ip()
            ),
            Self::OtherFamily => f.write_str("the client and the service differ in family"),
            Self::PortZero => f.write_str("a service at port 0 works only with persistence"),
            Self::FtpWithoutPersistence => {
                f.write_str("the FTP service takes other ports only with persistence")
            }
            Self::FtpData => f.write_str("packets from port 20 are not scheduled (data of FTP)"),
            Self::NoScheduler => f.write_str("the service has no scheduler"),
            Self::NoDestination => f.write_str("the service has no destination"),
            Self::AllQuiesced => f.write_str("all destinations have weight 0"),
            Self::AllOverloaded => {
                f.write_str("all destinations with a weight are over their thresholds")
            }
            Self::AllFull => {
                f.write_str("all destinations have more active connections than their weight")
            }
            Self::Slot(slot) => write!(f, "the scheduler refuses {slot}"),
            Self::DestinationGone { id, expires } => write!(
                f,
                "a connection of this client to {id} is left, which was deleted; its packets are \
                 dropped for {} s",
                expires.as_secs()
            ),
        }
    }
}

/// What can go wrong though the answer is right.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The server gets the packets at the port to which the client connects, not at its own.
    ///
    /// Only masquerading changes the port. In a persistent service of a firewall mark or at port
    /// 0, masquerading does not change the port either. Source:
    /// `ip_vs_core.c:ip_vs_sched_persist`.
    PortStays {
        /// The destination, with its port in the table.
        id: DestinationId,
        /// The port at which the packets arrive.
        port: u16,
    },
    /// The destination is of another family than the service. Only tunnels reach it.
    MixedFamilies(DestinationId),
    /// The destination that a template or a connection keeps has weight 0.
    Draining(DestinationId),
    /// The destination that a connection or template had is not taken: see the reason.
    Passed {
        /// The destination.
        id: DestinationId,
        /// Why.
        why: Passed,
    },
    /// Whether the address is on this host is unknown. If not, the packets do not come to IPVS.
    PerhapsNotLocal(SocketAddr),
    /// The packets have a firewall mark without a service, so the address decides.
    MarkWithoutService(ServiceId),
}

/// Why a connection or template that the kernel keeps does not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Passed {
    /// The former connection has ended, and `net.ipv4.vs.conn_reuse_mode` lets the new one be
    /// scheduled.
    Ended,
    /// The destination has weight 0, and `net.ipv4.vs.expire_nodest_conn` is 1.
    QuiescedConnection,
    /// The destination was deleted.
    Deleted,
    /// The destination has weight 0, and `net.ipv4.vs.expire_quiescent_template` is 1.
    QuiescedTemplate,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PortStays { id, port } => {
                write!(f, "{id} gets the packets at port {port}, which IPVS leaves as it is here")
            }
            Self::MixedFamilies(id) => {
                write!(f, "{id} is of another family than the service: only a tunnel reaches it")
            }
            Self::Draining(id) => write!(f, "{id} has weight 0 and keeps the clients it has"),
            Self::Passed { id, why } => {
                let why = match why {
                    Passed::Ended => "has ended (conn_reuse_mode lets its port be used again)",
                    Passed::QuiescedConnection => {
                        "does not count: the weight is 0 and expire_nodest_conn is 1"
                    }
                    Passed::Deleted => "does not count: the destination was deleted",
                    Passed::QuiescedTemplate => {
                        "does not count: the weight is 0 and expire_quiescent_template is 1"
                    }
                };
                write!(f, "what the kernel keeps of this client and {id} {why}")
            }
            Self::PerhapsNotLocal(address) => write!(
                f,
                "if {} is not an address of this host, the packets do not come to IPVS",
                address.ip()
            ),
            Self::MarkWithoutService(mark) => {
                write!(f, "there is no service {mark}, so the address decides")
            }
        }
    }
}

impl Explanation {
    /// Returns the one destination of the answer, or `None` if there are several or none.
    #[must_use]
    pub const fn destination(&self) -> Option<DestinationId> {
        match self.answer {
            Answer::Destination { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Returns all destinations that are possible, the likeliest first.
    #[must_use]
    pub fn possible(&self) -> &[DestinationId] {
        match &self.answer {
            Answer::Destination { id, .. } => std::slice::from_ref(id),
            Answer::OneOf { possible, .. } | Answer::Undetermined { possible, .. } => possible,
            Answer::Nowhere(_) => &[],
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection { state, expires } => write!(
                f,
                "the kernel keeps a connection of this client and port ({state}, {} s left)",
                expires.as_secs()
            ),
            Self::Template { client, expires } => write!(
                f,
                "the kernel keeps a template of persistence for {} ({} s left)",
                client.ip(),
                expires.as_secs()
            ),
            Self::Slot(slot) if slot.availability == Availability::Available => {
                write!(f, "the client hashes to {slot}")
            }
            Self::Slot(slot) => {
                write!(f, "the client hashes to {slot}; the fallback takes the next one available")
            }
            Self::EverySlot => f.write_str("whichever slot the client hashes to"),
            Self::First(rule) => write!(f, "first by the rule: {rule}"),
            Self::Only(_) => f.write_str("no other destination is available"),
        }
    }
}

impl fmt::Display for Answer {
    /// One line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination { id, why } => write!(f, "{id}: {why}"),
            Self::OneOf { possible, rule } => {
                write!(f, "one of {}: {rule}", Names(possible))
            }
            Self::Undetermined { possible, refusal, missing } => {
                match (possible.as_slice(), refusal) {
                    ([], _) => f.write_str("nowhere: refused")?,
                    (possible, false) => write!(f, "one of {}", Names(possible))?,
                    (possible, true) => write!(f, "one of {}, or refused", Names(possible))?,
                }
                for (at, missing) in missing.iter().enumerate() {
                    let before = if at == 0 { "; unknown:" } else { ", and" };
                    write!(f, "{before} {missing}")?;
                }
                Ok(())
            }
            Self::Nowhere(reason) => write!(f, "nowhere: {reason}"),
        }
    }
}

/// Destinations, separated by commas. At most ten are named.
struct Names<'n>(&'n [DestinationId]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, id) in self.0.iter().take(Self::MOST).enumerate() {
            let before = if at == 0 { "" } else { ", " };
            write!(f, "{before}{id}")?;
        }
        match self.0.len().checked_sub(Self::MOST) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

impl Names<'_> {
    const MOST: usize = 10;
}

impl fmt::Display for Explanation {
    /// Several lines, without a line break at the end: the question and the answer, the service,
    /// its destinations, and notes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} goes to {}", self.attempt, self.answer)?;
        if let Some(service) = &self.service {
            write!(f, "\nservice {service}")?;
        }
        for candidate in &self.candidates {
            let mark = if self.possible().contains(&candidate.id) { "*" } else { " " };
            write!(f, "\n{mark} {candidate}")?;
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
}
