//! The netlink protocol without a socket: what to send, and what the received datagrams mean.
//!
//! This layer does not wait, has no clock and does no I/O. The engine sends what [`Session`] wrote,
//! and passes the received datagrams to a [`Single`], a [`Batch`] or a [`Dump`] until that has
//! ended.

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
