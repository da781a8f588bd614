//! Encoding and decoding: the attributes of IPVS messages, to and from the model. All clients and
//! `IpvsMessage` use this codec.
//!
//! Decoding never panics, whatever a kernel sent. Encoding expects validated values; of others it
//! makes a message that the kernel refuses.

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

/// What is wrong with a received message.
pub(crate) type Malformed = &'static str;

#[cfg(test)]
pub(crate) mod tests;
