//! The clients that programs use. Each method calls the [engine](crate::engine) and is one line.
//!
//! Macros define every method once, with its documentation, for the blocking client and the async
//! clients.

#[cfg(any(feature = "tokio", feature = "smol"))]
mod asynchronous;
mod blocking;
#[cfg(any(feature = "tokio", feature = "smol"))]
mod cancel_safety;
mod connecting;
mod controller_operations;
mod example;
pub(crate) mod procfs;
mod reading_operations;
pub(crate) mod settings;
mod settings_operations;
#[cfg(feature = "smol")]
pub(crate) mod smol;
mod table_operations;
#[cfg(feature = "tokio")]
pub(crate) mod tokio;
mod writing_operations;

pub use blocking::{Client, Destinations, Services, SubmitStream};
#[cfg(any(feature = "tokio", feature = "smol"))]
pub(crate) use cancel_safety::cancel_safety;
pub(crate) use connecting::connecting;
pub(crate) use controller_operations::controller_operations;
pub(crate) use example::example;
pub(crate) use reading_operations::reading_operations;
pub use settings::{SettingsError, WrittenSettings};
pub(crate) use settings_operations::settings_operations;
pub(crate) use table_operations::table_operations;
pub(crate) use writing_operations::writing_operations;
