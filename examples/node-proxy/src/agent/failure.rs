use std::io;

use ipvs_netlink::Scheduler;

use super::owned::StateError;
use crate::cluster::ConnectionError;
use crate::exit::Exit;
use crate::host::HostError;
use crate::planned::PlanFailure;

/// Why the program ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    #[error(transparent)]
    Host(#[from] HostError),
    #[error("{0}")]
    Kernel(#[from] ipvs_netlink::Error),
    #[error("the system: {0}")]
    System(#[from] io::Error),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("--ipvs-scheduler {0}: the kernel has no scheduler of this name")]
    NoScheduler(Scheduler),
    #[error("API server {server}: no complete list of {missing} within {seconds} s")]
    NoAnswer { server: String, missing: String, seconds: u64 },
    #[error("the cluster has no {0}, or another proxy serves it")]
    NoSubject(String),
    #[error("ended by a signal before it was done")]
    Interrupted,
    #[error("the kernel's table: {0}")]
    Plan(#[from] PlanFailure),
}

impl Failure {
    /// Returns how the program ends.
    pub(crate) const fn exit(&self) -> Exit {
        match self {
            Self::NoSubject(_) => Exit::Invalid,
            _ => Exit::Failed,
        }
    }
}
