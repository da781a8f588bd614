//! Reading the requests of IPVS: what each attribute must be, and what the kernel makes of it.

pub(super) mod command;
pub(super) mod daemon;
pub(super) mod destination;
pub(super) mod service;
