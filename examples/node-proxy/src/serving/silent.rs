//! Connections whose clients have not sent their requests yet. They give way to others.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The number of a listener.
pub(crate) type Listener = u64;

/// The connections without a request, of all listeners that share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Silent(Arc<Mutex<Connections>>);

#[derive(Debug, Default)]
struct Connections {
    last: u64,
    /// In the order of their arrival.
    cuts: BTreeMap<u64, (Listener, oneshot::Sender<()>)>,
}

impl Silent {
    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of a new listener.
    pub(crate) fn listener(&self) -> Listener {
        self.connections().next()
    }

    /// Adds a connection. The receiver says when it is to be cut.
    pub(crate) fn add(&self, listener: Listener) -> (Waiting, oneshot::Receiver<()>) {
        let (cut, is_cut) = oneshot::channel();
        let mut connections = self.connections();
        let number = connections.next();
        connections.cuts.insert(number, (listener, cut));
        (Waiting { silent: self.clone(), number }, is_cut)
    }

    /// Cuts the oldest connection of a listener, or of all.
    pub(crate) fn cut_oldest(&self, listener: Option<Listener>) {
        let mut connections = self.connections();
        let mut all = connections.cuts.iter();
        let oldest = all.find(|(_, (of, _))| listener.is_none_or(|it| it == *of));
        let oldest = oldest.map(|(number, _)| *number);
        if let Some((_, cut)) = oldest.and_then(|number| connections.cuts.remove(&number)) {
            // Fails when the connection has ended by itself.
            let _ = cut.send(());
        }
    }
}

impl Connections {
    const fn next(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

/// A connection that waits for its request, or for its end.
#[derive(Debug)]
pub(crate) struct Waiting {
    silent: Silent,
    number: u64,
}

impl Waiting {
    /// Takes in that the request has come. The connection is not cut any more.
    pub(crate) fn heard(&self) {
        self.silent.connections().cuts.remove(&self.number);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.heard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_without_a_request_gives_way() {
        let silent = Silent::default();
        let (one, two) = (silent.listener(), silent.listener());
        let mut all = [one, two, one, two, two].map(|listener| silent.add(listener));
        let mut cut = |listener| {
            silent.cut_oldest(listener);
            all.iter_mut().map(|(_, is_cut)| is_cut.try_recv().is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(cut(Some(two)), [false, true, false, false, false]);
        assert_eq!(cut(None), [true, false, false, false, false]);
        assert_eq!(cut(Some(one)), [false, false, true, false, false]);
        assert_eq!(cut(Some(one)), [false; 5]);
        all[3].0.heard();
        silent.cut_oldest(None);
        assert!(all[3].1.try_recv().is_err() && all[4].1.try_recv().is_ok());
        drop(all);
        assert!(silent.connections().cuts.is_empty());
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let silent = Silent::default();
        drop(silent.add(silent.listener()));
        assert!(silent.connections().cuts.is_empty());
    }
}
