//! What a node proxy sets up on its host beside the table: addresses, sysctls and tracked flows.
//!
//! - `binding` decides which addresses the dummy interface gets and loses, and when; `interface` reads and writes
//!   them by rtnetlink.
//! - `node_addresses` decides which addresses are the node's own.
//! - `sysctl` sets what kube-proxy sets, and puts it back.
//! - `state_folder` and `state_file` keep what outlives the program.
//! - `conntrack` deletes tracked UDP flows that would keep a client at an endpoint that is gone.
//! - [`Host`] does all this for the agent, in the order of a synchronization.
//! - [`cleanup`] removes it.

mod arguments;
mod binding;
pub mod cleanup;
mod conntrack;
mod few;
mod interface;
mod interface_name;
mod node_addresses;
mod setup;
mod state_file;
mod state_folder;
mod sysctl;

pub use self::arguments::{HostArguments, Place};
pub use self::conntrack::Cleaned;
pub use self::interface_name::{InterfaceName, InvalidInterfaceName};
pub use self::setup::{Host, HostError};
pub(crate) use self::state_file::{StateFile, StateFileError};
pub(crate) use self::state_folder::{StateFolder, StateLock};

/// The file with the values that sysctls had before.
const SYSCTLS: &str = "sysctls";
