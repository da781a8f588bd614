//! Finds the cause of a refusal from the errno and the command.
//!
//! IPVS uses one errno for several causes. ENOENT, for example, means an unknown scheduler,
//! persistence engine, destination or netlink family, depending on the command. Source:
//! `net/netfilter/ipvs/ip_vs_ctl.c`, `ip_vs_sync.c`.

use rustix::io::Errno;

use crate::error::ErrorKind;
use crate::model::{Operation, Scheduler, Service};

/// Returns the cause of `errno` in the answer to `operation`. `service` is the service that
/// the operation adds or updates.
///
/// ENOENT can also mean that the id of the netlink family is stale. The caller must rule
/// that out first.
pub(crate) fn kind_of_refusal(
    operation: Operation,
    service: Option<&Service>,
    errno: i32,
) -> ErrorKind {
    // rustix panics on a number that cannot be an errno.
    if !(1..4096).contains(&errno) {
        return ErrorKind::Other;
    }
    match (Errno::from_raw_os_error(errno), operation) {
        (Errno::PERM | Errno::ACCESS, _) => ErrorKind::PermissionDenied,
        (Errno::NOMEM, _) => ErrorKind::OutOfMemory,
        (Errno::OPNOTSUPP, _) => ErrorKind::NotSupported,
        (Errno::AFNOSUPPORT, _) => ErrorKind::FamilyNotSupported,
        (Errno::NOENT, Operation::ResolveFamily) | (Errno::NOPROTOOPT, _) => ErrorKind::Unavailable,
        (Errno::NOENT, Operation::AddService | Operation::UpdateService) => unknown_module(service),
        (Errno::NOENT, Operation::UpdateDestination | Operation::DeleteDestination) => {
            ErrorKind::NoSuchDestination
        }
        (Errno::EXIST, Operation::AddService) => ErrorKind::ServiceExists,
        (Errno::EXIST, Operation::AddDestination) => ErrorKind::DestinationExists,
        (Errno::EXIST, Operation::StartDaemon) => ErrorKind::DaemonExists,
        (Errno::SRCH, Operation::StopDaemon) => ErrorKind::NoSuchDaemon,
        (Errno::SRCH, _) => ErrorKind::NoSuchService,
        (Errno::NODEV, Operation::StartDaemon) => ErrorKind::NoSuchInterface,
        (
            Errno::NETUNREACH | Errno::ADDRINUSE | Errno::ADDRNOTAVAIL | Errno::NETDOWN,
            Operation::StartDaemon,
        ) => ErrorKind::NetworkUnavailable,
        (Errno::INVAL | Errno::RANGE, _) => ErrorKind::Rejected,
        _ => ErrorKind::Other,
    }
}

fn unknown_module(service: Option<&Service>) -> ErrorKind {
    let Some(service) = service else {
        return ErrorKind::UnknownSchedulerOrEngine;
    };
    let engine = service.persistence.is_some_and(|persistence| persistence.engine.is_some());
    match (service.scheduler, engine) {
        (_, false) => ErrorKind::UnknownScheduler,
        (Scheduler::NONE, true) => ErrorKind::UnknownPersistenceEngine,
        (_, true) => ErrorKind::UnknownSchedulerOrEngine,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{Persistence, PersistenceEngine};

    #[test]
    fn one_number_has_many_causes() {
        let noent = Errno::NOENT.raw_os_error();
        let causes = [
            (Operation::ResolveFamily, ErrorKind::Unavailable),
            (Operation::AddService, ErrorKind::UnknownSchedulerOrEngine),
            (Operation::UpdateDestination, ErrorKind::NoSuchDestination),
            (Operation::DeleteDestination, ErrorKind::NoSuchDestination),
        ];
        for (operation, kind) in causes {
            assert_eq!(kind_of_refusal(operation, None, noent), kind);
        }
    }

    #[test]
    fn the_missing_module_is_named_where_only_one_is_possible() {
        let plain = Service::tcp("10.0.0.1:80".parse().unwrap());
        let persistence = Persistence::new(Duration::from_secs(60)).engine(PersistenceEngine::SIP);
        let with_engine = plain.clone().persistence(persistence);
        let noent = Errno::NOENT.raw_os_error();
        let kind = |service: &Service| kind_of_refusal(Operation::AddService, Some(service), noent);
        assert_eq!(kind(&plain), ErrorKind::UnknownScheduler);
        assert_eq!(kind(&with_engine), ErrorKind::UnknownSchedulerOrEngine);
        let unscheduled = with_engine.scheduler(Scheduler::NONE);
        assert_eq!(kind(&unscheduled), ErrorKind::UnknownPersistenceEngine);
    }
}
