//! Checks over TLS (feature `health-tls`).

mod check;
mod config;
mod connect;
#[cfg(feature = "serde")]
mod document;
mod failure;
mod options;
mod pem;
#[cfg(test)]
pub(super) mod tests;
mod validity;
mod verifier;

pub use check::TlsCheck;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
pub(super) use config::Application;
pub(super) use connect::handshake;
pub use options::TlsOptions;
