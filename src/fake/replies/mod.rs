//! Writing what the kernel reports, in its order of attributes.

pub(super) mod counters;
pub(super) mod daemon;
pub(super) mod destination;
pub(super) mod family;
pub(super) mod service;
pub(super) mod settings;
