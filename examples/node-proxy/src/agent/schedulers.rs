//! Which schedulers the kernel has. A service with one that it lacks would not be served at all.

use std::collections::BTreeSet;

use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::tokio::Client;
use ipvs_netlink::{ErrorKind, Scheduler, Service, ServiceId};

/// What is known of the schedulers that services name. [`Options::allowed_schedulers`] bounds their number.
///
/// [`Options::allowed_schedulers`]: ipvs_netlink::kubernetes::Options::allowed_schedulers
#[derive(Debug)]
pub(super) struct Schedulers {
    /// The scheduler of services that name none, which the kernel has.
    usual: Scheduler,
    tried: BTreeSet<Scheduler>,
    lacking: BTreeSet<Scheduler>,
}

impl Schedulers {
    pub(super) fn new(usual: Scheduler) -> Self {
        Self { usual, tried: BTreeSet::from([usual]), lacking: BTreeSet::new() }
    }

    /// Returns the schedulers of changes that were not tried yet.
    pub(super) fn untried(&mut self, changes: &Changes) -> Vec<Scheduler> {
        let named = changes.set.iter().map(|(service, _)| service.service().scheduler);
        let new: BTreeSet<_> = named.filter(|it| self.tried.insert(*it)).collect();
        new.into_iter().collect()
    }

    /// Notes that the kernel has refused a scheduler. Returns `true` if that is new, and services can do without
    /// it.
    pub(super) fn lacks(&mut self, scheduler: Scheduler) -> bool {
        scheduler != self.usual && self.lacking.insert(scheduler)
    }
}

/// The services by which schedulers are tried: at an address for documentation (RFC 5737), which no client has.
///
/// Source: `pkg/proxy/ipvs/proxier.go:CanUseIPVSProxier`.
pub(super) fn trials() -> impl Iterator<Item = ServiceId> {
    (20_000..20_008).map(|port| ServiceId::tcp(([198, 51, 100, 0], port).into()))
}

/// Deletes the services of trials that a program left when it was killed. Those with destinations belong to others.
///
/// # Errors
///
/// The kernel refuses.
pub(crate) async fn remove_trials(ipvs: &mut Client) -> ipvs_netlink::Result<()> {
    let is_gone = |error: &ipvs_netlink::Error| error.kind() == ErrorKind::NoSuchService;
    for id in trials() {
        let removed = match ipvs.destinations(id).await {
            Ok(destinations) if destinations.is_empty() => ipvs.delete_service(id).await,
            read => read.map(|_| ()),
        };
        match removed {
            Err(error) if !is_gone(&error) => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Returns whether the kernel has a scheduler: makes a service with it, and deletes it. If others have all services
/// of the trial, the answer is yes, and the kernel refuses what it does not have.
///
/// # Errors
///
/// The kernel refuses for another reason.
pub(super) async fn has(ipvs: &mut Client, scheduler: Scheduler) -> ipvs_netlink::Result<bool> {
    for id in trials() {
        return match ipvs.add_service(&Service::new(id).scheduler(scheduler)).await {
            Ok(()) => ipvs.delete_service(id).await.map(|()| true),
            Err(error) => match error.kind() {
                ErrorKind::UnknownScheduler => Ok(false),
                ErrorKind::ServiceExists => continue,
                _ => Err(error),
            },
        };
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use ipvs_netlink::kubernetes::{Converter, Event, Service, ServicePort};

    use super::*;
    use crate::arguments::Arguments;

    #[test]
    fn each_scheduler_that_is_allowed_is_tried_once() {
        let words = ["node-proxy", "--from-files=x", "--allow-scheduler=magic,other"];
        let conversion = Arguments::try_parse_from(words).unwrap().offline.conversion;
        let mut converter = Converter::new(&conversion.options());
        let mut schedulers = Schedulers::new(Scheduler::ROUND_ROBIN);
        let mut named = |number: usize, scheduler: &str| {
            let mut web = Service::new("shop", &format!("web-{number}"));
            web.spec.cluster_ip = format!("10.96.0.{number}");
            web.spec.ports.push(ServicePort::new(80));
            let annotation = ("ipvs-netlink/scheduler".to_owned(), scheduler.to_owned());
            web.metadata.annotations.extend([annotation]);
            let changes = converter.apply(Event::Service(web));
            schedulers.untried(&changes).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(named(1, "rr"), [""; 0]);
        assert_eq!(named(2, "magic"), ["magic"]);
        assert_eq!(named(3, "magic"), [""; 0]);
        assert_eq!(named(3, "wlc"), ["wlc"]);
        let tried = (4..254).filter(|number| !named(*number, &format!("m{number}")).is_empty());
        assert_eq!(tried.count(), 0);
        assert_eq!(schedulers.tried.len(), 3);
    }

    #[test]
    fn a_scheduler_that_the_kernel_lacks_is_told_once() {
        let mut schedulers = Schedulers::new(Scheduler::ROUND_ROBIN);
        assert!(schedulers.lacks(Scheduler::MAGLEV_HASHING));
        assert!(!schedulers.lacks(Scheduler::MAGLEV_HASHING));
        assert!(!schedulers.lacks(Scheduler::ROUND_ROBIN));
    }
}
