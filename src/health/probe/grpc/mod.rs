//! Checks by the health protocol of gRPC (feature `health-grpc`).

mod check;
#[cfg(feature = "serde")]
mod document;
mod message;
mod run;
#[cfg(test)]
mod tests;

pub use check::GrpcCheck;
