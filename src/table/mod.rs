//! The table that is wanted, beside the one that is there.
//!
//! A [`Table`] says which services and destinations there are to be, a [`Scope`] which
//! ones are ours.

mod entries;
mod network;
mod scope;

pub use entries::{Table, TableDestination, TableService};
pub use network::Network;
pub use scope::Scope;
