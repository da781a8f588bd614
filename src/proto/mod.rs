//! The netlink protocol without its socket: what to send, and what the datagrams
//! that come back mean.
//!
//! Nothing here waits, knows the time or does I/O. A client sends what
//! [`Session`] wrote and feeds what it receives to a [`Single`], a [`Batch`] or a
//! [`Dump`] until that says it has ended.

mod batch;
mod datagram;
mod dump;
mod extack;
mod family;
mod session;
mod single;

pub(crate) use batch::{Batch, Verdict};
pub(crate) use dump::{Dump, Step};
pub(crate) use extack::Refusal;
pub(crate) use family::{FamilyId, encode_lookup, read_lookup};
pub(crate) use session::Session;
pub(crate) use single::{Answer, Single};

#[cfg(test)]
pub(crate) mod tests;
