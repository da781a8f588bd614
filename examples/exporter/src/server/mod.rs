//! The HTTP server.
//!
//! Clients are hostile until they have proved otherwise: the number of connections and of scrapes, the time
//! and the size of a request, and the time of an answer have limits. A connection serves one request.

mod accept;
mod answer;
mod body;
mod connections;

pub use accept::format;
pub use answer::MOST_SCRAPES;
pub use connections::{END_TIME, MOST_CONNECTIONS, REQUEST_TIME, serve};
