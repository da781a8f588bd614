//! Checks over DNS (feature `health-dns`).
//!
//! The messages are written and read here: one question, and of the answer its header, its echoed
//! question and the addresses in it. That is less than any library of DNS, and the well-kept ones ask
//! for a newer Rust than this crate does.

mod check;
#[cfg(feature = "serde")]
mod document;
mod message;
mod run;
#[cfg(test)]
mod tests;

pub use check::{DnsCheck, DnsCode, DnsType};
