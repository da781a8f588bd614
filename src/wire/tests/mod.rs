//! The codec against kernels' bytes and against itself. What is `pub(crate)` here
//! serves the tests of the layers above.

pub(crate) mod any_report;
#[cfg(target_endian = "little")]
pub(crate) mod capture;
#[cfg(target_endian = "little")]
mod captured_destinations;
#[cfg(target_endian = "little")]
mod captured_others;
#[cfg(target_endian = "little")]
mod captured_services;
mod exact;
mod hostile;
#[cfg(feature = "packet")]
mod message;
mod missing;
pub(crate) mod raw;
mod round_trip;
mod tolerance;

use crate::wire::{Request, Writer};

/// The bytes that `write` writes.
pub(crate) fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut Writer::new(&mut bytes));
    bytes
}

/// The attributes of a request.
pub(crate) fn request_bytes(request: &Request<'_>) -> Vec<u8> {
    written(|writer| request.encode(writer))
}
