//! Looks again and again whether a service has a destination for clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle, sleep};

use ipvs_netlink::{Client, ServiceId};

use crate::lab::ms;
use crate::network::Namespace;

/// A second client, which reads the table all the time.
#[derive(Debug)]
pub(crate) struct Sampler {
    ends: Arc<AtomicBool>,
    thread: JoinHandle<Samples>,
}

/// What a sampler saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Samples {
    pub(crate) taken: usize,
    /// Those without a destination that has a weight.
    pub(crate) without: usize,
}

impl Sampler {
    pub(crate) fn start(namespace: &Namespace, service: ServiceId) -> Self {
        let mut ipvs = Client::in_namespace_fd(namespace).unwrap();
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        let thread = thread::spawn(move || {
            let mut samples = Samples::default();
            while !end.load(Ordering::SeqCst) {
                let there = ipvs.destinations(service).unwrap();
                let usable = there.iter().any(|entry| entry.destination.weight > 0);
                samples.taken += 1;
                samples.without += usize::from(!usable);
                sleep(ms(5));
            }
            samples
        });
        Self { ends, thread }
    }

    pub(crate) fn stop(self) -> Samples {
        self.ends.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}
