//! Threads that read a router's routes and the director's table all the time.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use ipvs_netlink::{Client, ServiceId};

use crate::lab::{Lab, VIP};
use crate::patience::wait_for;

/// What was seen, from each time on. Neighbours differ.
#[derive(Debug)]
pub(crate) struct Watcher<T> {
    seen: Arc<Mutex<Vec<(Instant, T)>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl<T: Clone + PartialEq + Send + 'static> Watcher<T> {
    fn start(
        namespace: &crate::network::Namespace,
        look: impl FnMut() -> T + Send + 'static,
    ) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let ends = Arc::new(AtomicBool::new(false));
        let (all, end, mut look) = (Arc::clone(&seen), Arc::clone(&ends), look);
        let work = move || {
            while !end.load(Ordering::SeqCst) {
                // When it began: what is noted was so then or became so since.
                let now = look();
                let mut all = all.lock().unwrap();
                if all.last().is_none_or(|(_, last)| *last != now) {
                    all.push((Instant::now(), now));
                }
                drop(all);
                thread::sleep(Duration::from_millis(2));
            }
        };
        let thread = namespace.run(|| thread::Builder::new().spawn(work)).unwrap();
        Self { seen, ends, thread: Some(thread) }
    }

    pub(crate) fn now(&self) -> Option<T> {
        self.seen.lock().unwrap().last().map(|(_, state)| state.clone())
    }

    /// Waits until something is seen after a time, and returns when.
    #[track_caller]
    pub(crate) fn wait(&self, what: &str, after: Instant, wanted: impl Fn(&T) -> bool) -> Instant {
        wait_for(what, || {
            let seen = self.seen.lock().unwrap();
            let later = seen.iter().find(|(at, state)| *at >= after && wanted(state));
            let last = seen.last().filter(|(_, state)| wanted(state));
            later.map(|(at, _)| *at).or_else(|| last.map(|_| after))
        })
    }

    /// Returns how often something was seen since a time, the state at that time not counted.
    pub(crate) fn changes(&self, after: Instant) -> usize {
        self.seen.lock().unwrap().iter().filter(|(at, _)| *at >= after).count()
    }
}

impl<T> Drop for Watcher<T> {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Whether the router has a route to the virtual address that it has learnt.
pub(crate) fn routes(lab: &Lab) -> Watcher<bool> {
    let address: std::net::Ipv4Addr = VIP.parse().unwrap();
    // As the kernel prints it: the bytes of the address as a number of the machine.
    let destination = format!("{:08X}", u32::from_ne_bytes(address.octets()));
    Watcher::start(&lab.network.client, move || {
        let routes = fs::read_to_string("/proc/thread-self/net/route").unwrap();
        routes.lines().any(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            words.get(1) == Some(&destination.as_str()) && words.get(6) != Some(&"1000")
        })
    })
}

/// How many usable destinations a service has in the table.
pub(crate) fn usable(lab: &Lab, service: ServiceId) -> Watcher<usize> {
    let mut ipvs = Client::in_namespace_fd(&lab.network.director).unwrap();
    Watcher::start(&lab.network.director, move || {
        let there = ipvs.destinations(service).ok();
        there.map_or(0, |all| all.iter().filter(|it| it.destination.weight > 0).count())
    })
}
