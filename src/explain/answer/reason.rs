//! Why a connection goes nowhere.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::explain::Slot;
use crate::model::{DestinationId, Protocol, ServiceId};

/// Why a connection goes nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No service takes the packets. They go on as if there were no IPVS.
    NoService,
    /// The address that the client connects to is not on this host, so packets of other hosts
    /// never come to IPVS. (Packets of clients on this host do.)
    AddressNotLocal(SocketAddr),
    /// IPVS schedules TCP, UDP and SCTP. Packets of this protocol go on as if there were no IPVS.
    /// Source: `ip_vs_core.c:ip_vs_in_hook`, `ip_vs_proto_ah_esp.c:ah_esp_conn_schedule`.
    OtherProtocol(Protocol),
    /// The view is of a service that does not take the attempt's packets: see
    /// [`Attempt::service_in`](crate::explain::Attempt::service_in).
    OtherService(ServiceId),
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
    /// connection was deleted, so its packets are dropped. With
    /// `net.ipv4.vs.expire_nodest_conn` they would be scheduled.
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
                "{} is not an address of this host, so packets of other hosts do not come to IPVS",
                address.ip()
            ),
            Self::OtherProtocol(protocol) => {
                write!(f, "IPVS does not schedule packets of {protocol}")
            }
            Self::OtherService(id) => write!(f, "the service {id} does not take its packets"),
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
