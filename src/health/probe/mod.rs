//! Checks over the network, and the thread that does them (feature `health`).
//!
//! The chapter [Health checks](crate::health) has whole programs, and says which check to use.
//!
//! | you want to | use |
//! | --- | --- |
//! | say what is checked | [`Probe`], and [`Origin`] for where the check comes from |
//! | check servers again and again, and keep the table accordingly | [`Runner`] and [`Updates`] |
//! | try a check out | [`Probe::once`] |
//! | check in a way of your own | [`Check`] with [`Probe::custom`] |
//!
//! This is the only part of [`health`](crate::health) with sockets: to the servers under check.

mod agent;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
mod authority;
mod command;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
mod connection;
mod datagrams;
#[cfg(feature = "health-dns")]
mod dns;
mod excerpt;
mod exchange;
#[cfg(feature = "health-grpc")]
mod grpc;
#[cfg(feature = "health-http")]
mod http;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
mod http2;
mod icmp;
mod kind;
#[cfg(any(feature = "health-grpc", feature = "health-http", feature = "health-tls"))]
mod meter;
mod namespace;
mod nonce;
mod once;
mod origin;
mod ours;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
mod parsed;
mod printable;
mod programs;
mod rules;
mod runner;
mod tcp;
#[cfg(test)]
mod tests;
mod through;
#[cfg(feature = "health-tls")]
mod tls;
mod udp;
mod updates;
mod watch_error;

pub use agent::AgentCheck;
pub use command::{CommandAnswer, CommandCheck};
#[cfg(feature = "health-dns")]
#[cfg_attr(docsrs, doc(cfg(feature = "health-dns")))]
pub use dns::{DnsCheck, DnsCode, DnsType};
pub use exchange::Exchange;
#[cfg(feature = "health-grpc")]
#[cfg_attr(docsrs, doc(cfg(feature = "health-grpc")))]
pub use grpc::GrpcCheck;
#[cfg(feature = "health-http")]
#[cfg_attr(docsrs, doc(cfg(feature = "health-http")))]
pub use http::{HttpCheck, HttpVersion};
pub use kind::{Check, CheckFuture, Probe, ProbeKind};
use nonce::nonce;
pub use origin::Origin;
pub use runner::{
    FinishedCheck, Lateness, Runner, RunnerOptions, RunnerStats, StatusAnswer, StatusError,
};
pub use through::AcceptLocal;
#[cfg(feature = "health-tls")]
#[cfg_attr(docsrs, doc(cfg(feature = "health-tls")))]
pub use tls::{TlsCheck, TlsOptions};
pub use updates::{Update, Updates};
pub use watch_error::WatchError;
