//! Reads services of the table again and again, and keeps each change with its time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, DestinationId, ServiceId};

use super::network::Namespace;
use super::{ms, wait_for};

/// The weights of the destinations of a service. `None` for a service that is not there.
pub(crate) type Weights = Option<BTreeMap<DestinationId, u32>>;

/// The time between two looks at the table.
const PAUSE: Duration = ms(4);

/// A second client, which reads the table all the time.
#[derive(Debug)]
pub(crate) struct Watcher {
    seen: Arc<Seen>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    ends: AtomicBool,
    looks: AtomicUsize,
    /// What a service held from each time on.
    states: Mutex<BTreeMap<ServiceId, Vec<(Instant, Weights)>>>,
}

impl Watcher {
    pub(crate) fn start(namespace: &Namespace, services: &[ServiceId]) -> Self {
        let mut ipvs = Client::in_namespace_fd(namespace).unwrap();
        let seen = Arc::new(Seen::default());
        let (all, services) = (Arc::clone(&seen), services.to_vec());
        let thread = thread::spawn(move || {
            while !all.ends.load(Ordering::SeqCst) {
                for service in &services {
                    let weights = ipvs.destinations(*service).ok().map(|there| {
                        let weights = there.iter().map(|it| &it.destination);
                        weights.map(|it| (it.id, it.weight)).collect()
                    });
                    all.note(*service, weights);
                }
                all.looks.fetch_add(1, Ordering::SeqCst);
                thread::sleep(PAUSE);
            }
        });
        let watcher = Self { seen, thread: Some(thread) };
        wait_for("a first look", || (watcher.looks() > 0).then_some(()));
        watcher
    }

    /// How often the table was read.
    pub(crate) fn looks(&self) -> usize {
        self.seen.looks.load(Ordering::SeqCst)
    }

    /// What a service holds.
    pub(crate) fn now(&self, service: ServiceId) -> Weights {
        self.states(service).last().and_then(|(_, weights)| weights.clone())
    }

    /// What a service held from each time on.
    pub(crate) fn states(&self, service: ServiceId) -> Vec<(Instant, Weights)> {
        self.seen.states.lock().unwrap().get(&service).cloned().unwrap_or_default()
    }

    /// The changes of a service since a time.
    pub(crate) fn changes_since(
        &self,
        service: ServiceId,
        time: Instant,
    ) -> Vec<(Instant, Weights)> {
        self.states(service).into_iter().filter(|(at, _)| *at >= time).collect()
    }

    /// For how long a service had nothing for clients since a time, and how often that began.
    pub(crate) fn without(&self, service: ServiceId, since: Instant) -> (Duration, usize) {
        let states = self.states(service);
        let ends = states.iter().skip(1).map(|(at, _)| *at).chain([Instant::now()]);
        let mut all = (Duration::ZERO, 0);
        for ((from, weights), to) in states.iter().zip(ends) {
            let usable = weights.iter().flatten().any(|(_, weight)| *weight > 0);
            if !usable && to >= since {
                all.0 += to - (*from).max(since);
                all.1 += 1;
            }
        }
        all
    }

    /// Waits until a service is as wanted, and returns since when, at the soonest at a time.
    #[track_caller]
    pub(crate) fn wait(
        &self,
        what: &str,
        service: ServiceId,
        since: Instant,
        wanted: impl Fn(&Weights) -> bool,
    ) -> Instant {
        wait_for(what, || {
            let states = self.states(service);
            let next = states.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
            // Those that were in force after the time.
            let mut later =
                states.iter().zip(next).filter(|(_, end)| end.is_none_or(|it| it >= since));
            later.find(|((_, weights), _)| wanted(weights)).map(|((at, _), _)| (*at).max(since))
        })
    }

    /// Waits until a destination gets no clients, and returns since when.
    #[track_caller]
    pub(crate) fn out(&self, service: ServiceId, there: DestinationId, since: Instant) -> Instant {
        let what = format!("{service} without {there}");
        self.wait(&what, service, since, |weights| weight(weights, there) == 0)
    }

    /// `Some` if a destination has got clients since a time.
    pub(crate) fn gets_clients_since(
        &self,
        service: ServiceId,
        there: DestinationId,
        since: Instant,
    ) -> Option<()> {
        let states = self.states(service);
        let next = states.iter().skip(1).map(|(at, _)| Some(*at)).chain([None]);
        let mut later = states.iter().zip(next).filter(|(_, end)| end.is_none_or(|it| it >= since));
        later.all(|((_, weights), _)| weight(weights, there) > 0).then_some(())
    }

    /// Waits until a destination gets clients, and returns since when.
    #[track_caller]
    pub(crate) fn back(&self, service: ServiceId, there: DestinationId, since: Instant) -> Instant {
        let what = format!("{service} with {there}");
        self.wait(&what, service, since, |weights| weight(weights, there) > 0)
    }
}

/// The weight of a destination, 0 if it is not there.
fn weight(weights: &Weights, there: DestinationId) -> u32 {
    weights.as_ref().and_then(|all| all.get(&there)).copied().unwrap_or(0)
}

impl Seen {
    fn note(&self, service: ServiceId, weights: Weights) {
        let mut states = self.states.lock().unwrap();
        let states = states.entry(service).or_default();
        if states.last().is_none_or(|(_, last)| *last != weights) {
            states.push((Instant::now(), weights));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.seen.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
