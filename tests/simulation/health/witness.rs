//! Sees the kernel's table before each write and after each task.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ipvs_netlink::Object;
use ipvs_netlink::ServiceId;
use ipvs_netlink::fake::{Kernel, Namespace};

/// What is promised for a service.
#[derive(Clone, Copy, Debug, Default)]
struct Promised {
    /// The last wish has a usable destination.
    wished: bool,
    /// The table had one since.
    had: bool,
}

#[derive(Debug, Default)]
struct Seen {
    services: BTreeMap<ServiceId, Promised>,
    /// The first moment in which a service had no usable destination, and should have.
    broken: Option<String>,
    moments: u64,
}

/// Sees every state of the table through which services pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness(Arc<Mutex<Seen>>);

impl Witness {
    /// Looks at a service before each write to it.
    pub(crate) fn attach(&self, kernel: &Kernel) {
        let witness = self.clone();
        kernel.intercept(move |kernel, request| {
            let writes = request.operation().is_some_and(|operation| operation.is_write());
            if let Some(Object::Service(id) | Object::Destination(id, _)) =
                request.object().filter(|_| writes)
            {
                witness.look(&kernel.initial(), id);
            }
            None
        });
    }

    /// Takes in a wish, or that there is none any more.
    pub(crate) fn wished(&self, id: ServiceId, usable: bool) {
        let mut seen = self.0.lock().expect("no panic");
        let promised = seen.services.entry(id).or_default();
        promised.wished = usable;
        promised.had &= usable;
    }

    fn look(&self, host: &Namespace, id: ServiceId) {
        let mut seen = self.0.lock().expect("no panic");
        let Some(promised) = seen.services.get(&id).copied() else { return };
        let there = host.service(id);
        let usable = there.as_ref().is_some_and(|there| {
            there.destinations.iter().any(|entry| entry.destination.weight > 0)
        });
        seen.moments += 1;
        if !usable && promised.had && seen.broken.is_none() {
            seen.broken =
                Some(format!("{id} has a moment without a usable destination: {there:?}"));
        }
        let had = promised.wished && usable;
        seen.services.insert(id, Promised { had, ..promised });
    }

    /// Looks at all services. Returns an error if one had a moment without a usable destination.
    pub(crate) fn testify(&self, host: &Namespace) -> Result<(), String> {
        let ids: Vec<_> = self.0.lock().expect("no panic").services.keys().copied().collect();
        ids.into_iter().for_each(|id| self.look(host, id));
        self.0.lock().expect("no panic").broken.take().map_or(Ok(()), Err)
    }

    /// How many times it looked.
    pub(crate) fn moments(&self) -> u64 {
        self.0.lock().expect("no panic").moments
    }
}

#[test]
fn a_moment_without_a_destination_between_two_writes_is_seen() {
    use ipvs_netlink::{Change, Client, Destination, Service};
    let service = Service::tcp(([192, 0, 2, 1], 80).into());
    let id = service.id;
    let [old, new] = [1, 2].map(|host| Destination::masquerade(([10, 0, 0, host], 80).into()));
    let both_ways = [
        [Change::DeleteDestination(id, old.id), Change::AddDestination(id, new.clone())],
        [Change::AddDestination(id, new.clone()), Change::DeleteDestination(id, old.id)],
    ];
    for (changes, expected) in both_ways.into_iter().zip([true, false]) {
        let kernel = Kernel::new();
        let mut client = Client::fake(&kernel).expect("a client");
        let witness = Witness::default();
        witness.attach(&kernel);
        witness.wished(id, true);
        assert!(client.submit(&[Change::AddService(service.clone())]).is_done());
        assert!(client.submit(&[Change::AddDestination(id, old.clone())]).is_done());
        witness.testify(&kernel.initial()).expect("it had none before");
        assert!(client.submit(&changes).is_done());
        let seen = witness.testify(&kernel.initial());
        assert_eq!(seen.is_err(), expected, "{seen:?}");
    }
}
