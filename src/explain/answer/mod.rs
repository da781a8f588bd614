//! The answer to the question where a new connection would go.

mod candidate;
mod missing;
mod note;
mod reason;
mod rule;

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::explain::{Attempt, Availability};
use crate::model::{DestinationId, Service};
use crate::procfs::ConnectionState;

pub use candidate::{Candidate, Slot};
pub use missing::Missing;
pub use note::{Note, Passed};
pub use reason::Reason;
pub use rule::Rule;

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
    /// what the scheduler decides by. Also if the scheduler is not asked.
    pub candidates: Vec<Candidate>,
    /// What can go wrong though the answer is right.
    pub notes: Vec<Note>,
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

impl fmt::Display for Explanation {
    /// Several lines, without a line break at the end: the question and the answer, the service,
    /// its destinations, and notes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.attempt, self.answer)?;
        if let Some(service) = &self.service {
            write!(f, "\nservice {service}")?;
        }
        let possible: BTreeSet<&DestinationId> = self.possible().iter().collect();
        for candidate in &self.candidates {
            let mark = if possible.contains(&candidate.id) { "*" } else { " " };
            write!(f, "\n{mark} {candidate}")?;
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        Ok(())
    }
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

impl fmt::Display for Answer {
    /// One line, to be written behind its subject: `goes to 10.0.0.2:80: in turn`, `goes nowhere:
    /// the service has no destination`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Destination { id, why } => write!(f, "goes to {id}: {why}"),
            Self::OneOf { possible, rule } => {
                write!(f, "goes to one of {}: {rule}", Names(possible))
            }
            Self::Undetermined { possible, refusal, missing } => {
                match (possible.as_slice(), refusal) {
                    ([], _) => f.write_str("is refused")?,
                    (possible, false) => write!(f, "goes to one of {}", Names(possible))?,
                    (possible, true) => {
                        write!(f, "goes to one of {}, or is refused", Names(possible))?
                    }
                }
                for (at, missing) in missing.iter().enumerate() {
                    let before = if at == 0 { "; unknown:" } else { ", and" };
                    write!(f, "{before} {missing}")?;
                }
                Ok(())
            }
            Self::Nowhere(reason) => write!(f, "goes nowhere: {reason}"),
        }
    }
}

/// Why a connection goes to a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The kernel keeps a connection of the same client address and port.
    Connection {
        /// The state of the connection.
        state: ConnectionState,
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
