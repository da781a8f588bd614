//! The control socket: orders from people and programs, answers, and events.

pub mod call;
pub mod client;
pub mod commands;
pub mod limits;
pub mod problem;
pub mod protocol;
pub mod request;
pub mod response;
pub mod server;
