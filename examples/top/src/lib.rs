//! The load balancer live, on a terminal: the library of the program `ipvs-top`, for its tests.
//!
//! Where a change goes:
//!
//! | module | what it holds |
//! | --- | --- |
//! | [`state`] | what is known, and what the user looks at: readings, rates, changes, selection, orders |
//! | [`keys`] | what each key does in a state; the help is made from the same list |
//! | [`screens`] | how a state looks, at any size |
//! | [`manners`] | colours, characters, and what is never shown |
//! | [`reading`] | threads that read the kernel and the director |
//! | [`doing`] | a thread that carries out orders |
//! | [`terminal`] | raw mode, signals, suspending |
//! | [`once`] | `--once` and `--json` |
//! | [`remembered`] | the file that remembers how the overview is sorted and filtered |
//! | [`labels`] | the users' labels of services, from a table file, as the exporter takes them |
//! | [`socket`] | one exchange with the director |
//! | `demo` | `--demo`: traffic in network namespaces |
//! | [`program`] | the loop that ties all of this together |
//!
//! The first four have no terminal, socket, clock or thread.

pub mod arguments;
#[cfg(feature = "demo")]
pub mod demo;
pub mod doing;
#[path = "../../table/fault.rs"]
mod fault;
pub mod keys;
#[path = "../../exporter/src/labels.rs"]
pub mod labels;
pub mod manners;
mod moment;
pub mod once;
pub mod program;
pub mod reading;
pub mod remembered;
pub mod screens;
pub mod socket;
#[cfg(test)]
mod stage;
pub mod state;
pub mod terminal;
#[path = "../../table/text.rs"]
#[allow(dead_code, reason = "the example also writes tables")]
mod text;
#[path = "../../exporter/src/values.rs"]
mod values;
#[path = "../../table/yaml_keys.rs"]
mod yaml_keys;

pub use moment::Moment;
