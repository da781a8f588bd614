//! Checks over HTTP/1.1 and HTTP/2 (feature `health-http`).

mod body;
mod check;
#[cfg(feature = "serde")]
mod document;
mod http1;
mod http2;
mod redirect;
mod request;
mod rules;
mod run;
mod status;
#[cfg(test)]
mod tests;

pub use check::{HttpCheck, HttpVersion};
