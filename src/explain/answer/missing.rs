//! Inputs that the kernel does not show.

use std::fmt;

use crate::model::{DestinationId, Scheduler, Setting};

/// An input that is unknown and matters.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// The size of the scheduler's table: see [`TableSizes`](crate::explain::TableSizes).
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
    /// How the kernel hashes: `mh` hashes otherwise on kernels of 32 bits and on big-endian ones.
    ForeignHash,
    /// The connections and templates that the kernel keeps, or a part of them.
    Connections,
    /// A setting `net.ipv4.vs.*` that says whether what the kernel keeps of the client decides.
    Setting(Setting),
    /// The service by which the kernel has made the connection to this destination that it keeps
    /// of the client. The service that takes the client's packets now does not have the
    /// destination. If the destination was deleted, packets of the connection are dropped; if
    /// another service has made the connection, they go to the destination.
    FormerService(DestinationId),
    /// The forwarding method of the deleted destination of a connection in the state `FIN_WAIT`.
    /// With the value 2 or 3 of `net.ipv4.vs.conn_reuse_mode`, the port of such a connection can
    /// be used again unless it is masqueraded.
    FormerForwarding(DestinationId),
    /// Whether the service was persistent when the kernel made its connection to this destination.
    /// The service is so now, but no template for the destination is left. A template would keep an
    /// ended connection from being scheduled again.
    FormerPersistence(DestinationId),
    /// The destination that `lblc` has cached for the address that the client connects to, if it
    /// has one. The scheduler goes on with that one though it is over its threshold.
    Cached,
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
            Self::ForeignHash => {
                f.write_str("how mh hashes on a kernel of 32 bits or a big-endian one")
            }
            Self::Connections => f.write_str("the connections that the kernel keeps"),
            Self::Setting(setting) => write!(f, "the setting net.ipv4.vs.{setting}"),
            Self::FormerService(id) => write!(
                f,
                "whether {id}, to which the kernel keeps a connection of this client and port, \
                 was deleted or belongs to another service"
            ),
            Self::FormerForwarding(id) => {
                write!(f, "how packets were forwarded to {id}, which was deleted")
            }
            Self::FormerPersistence(id) => {
                write!(f, "whether the service was persistent when the connection to {id} was made")
            }
            Self::Cached => f.write_str(
                "the destination that lblc has cached for the address that the client connects to",
            ),
        }
    }
}
