#![doc = include_str!("through.md")]

mod error;
#[cfg(feature = "health")]
mod leases;
mod marks;
#[cfg(feature = "health")]
mod pair;
#[cfg(feature = "health")]
mod patience;
#[cfg(feature = "health")]
mod ports;
mod range;

pub use error::{ForeignServices, ThroughError};
#[cfg(feature = "health")]
pub(crate) use leases::{Changes, Flight, Leases};
pub use marks::Marks;
#[cfg(feature = "health")]
pub(crate) use pair::{Pair, PairKey};
#[cfg(feature = "health")]
pub(crate) use patience::Patience;
#[cfg(feature = "health")]
pub(crate) use ports::{LONGEST_CHECK, Ports};
pub use range::MarkRange;
