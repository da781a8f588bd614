//! What can go wrong though an answer is right.

use std::fmt;
use std::net::SocketAddr;

use crate::model::{DestinationId, ServiceId};

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
    /// What the kernel keeps of the client is ignored, for this reason: a connection to the
    /// destination, or a template of persistence.
    Passed {
        /// The destination.
        id: DestinationId,
        /// Why.
        why: Passed,
    },
    /// Whether the address is on this host is unknown. If not, packets of other hosts do not come
    /// to IPVS.
    PerhapsNotLocal(SocketAddr),
    /// There is no such service either, though the address is what keeps the packets from IPVS.
    NoService(ServiceId),
    /// The packets have a firewall mark without a service, so the address decides.
    MarkWithoutService(ServiceId),
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
                    Passed::Ended => {
                        "connection of this client is ignored: it has ended, and conn_reuse_mode \
                         allows its port again"
                    }
                    Passed::QuiescedConnection => {
                        "connection of this client is ignored: the weight is 0, and \
                         expire_nodest_conn is 1"
                    }
                    Passed::Deleted => {
                        "connection or template of this client is ignored: the destination was \
                         deleted"
                    }
                    Passed::QuiescedTemplate => {
                        "template of this client is ignored: the weight is 0, and \
                         expire_quiescent_template is 1"
                    }
                };
                write!(f, "{id}: an earlier {why}")
            }
            Self::PerhapsNotLocal(address) => write!(
                f,
                "if {} is not an address of this host, packets of other hosts do not come to IPVS",
                address.ip()
            ),
            Self::NoService(id) => write!(f, "there is no service {id} either"),
            Self::MarkWithoutService(mark) => {
                write!(f, "there is no service {mark}, so the address decides")
            }
        }
    }
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
