//! The control socket: orders from people and programs, answers, and events.

pub mod call;
pub mod protocol;
