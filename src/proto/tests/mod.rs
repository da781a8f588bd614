//! The protocol fed with datagrams: captured ones, built ones, and any split of any
//! of them.

mod batch;
#[cfg(target_endian = "little")]
mod captured_dumps;
#[cfg(target_endian = "little")]
mod captured_refusals;
#[cfg(target_endian = "little")]
mod captured_requests;
mod dump;
mod extack;
mod family;
mod hostile;
#[cfg(target_endian = "little")]
mod ipvsadm;
#[cfg(target_endian = "little")]
mod meaning;
pub(crate) mod reply;
mod session;
mod single;
mod splits;
#[cfg(target_endian = "little")]
mod walk;

use crate::proto::FamilyId;

/// The port of the socket under test.
pub(crate) const PORT: u32 = 4711;

pub(crate) fn family() -> FamilyId {
    FamilyId::new(reply::FAMILY).unwrap()
}
