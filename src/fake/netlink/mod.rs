//! Netlink as the kernel does it: messages, attributes, acknowledgements and the receive buffer.

pub(super) mod acknowledgement;
pub(super) mod attributes;
pub(super) mod inbox;
pub(super) mod message;
pub(super) mod writer;
