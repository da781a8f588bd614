//! What tests of `node-proxy run` share.
#![allow(dead_code, reason = "each test needs a part of it")]

use std::time::Duration;

pub(crate) mod agent;
pub(crate) mod kubectl;
pub(crate) mod nft;

/// The longest wait for anything that comes, long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
