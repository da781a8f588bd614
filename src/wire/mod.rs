//! The attributes of IPVS messages, to and from the model. One codec for every
//! client and for `IpvsMessage`.
//!
//! Nothing here panics on what a kernel sent. Encoding takes values that were
//! validated before; others give a message that the kernel refuses.

mod attributes;
mod daemon;
mod destination;
mod layout;
#[cfg(feature = "packet")]
mod message;
mod reply;
#[cfg(any(test, feature = "packet"))]
mod report;
mod request;
mod scalar;
mod service;
mod stats;
mod timeouts;

pub(crate) use attributes::{Attributes, Block, Put, Writer};
#[cfg(feature = "packet")]
pub use message::IpvsMessage;
use reply::nest;
pub(crate) use reply::{Reported, decode};
pub(crate) use request::Request;
pub(crate) use scalar::u32 as read_u32;

/// What is wrong with bytes that should have been a message.
pub(crate) type Malformed = &'static str;

#[cfg(test)]
pub(crate) mod tests;
