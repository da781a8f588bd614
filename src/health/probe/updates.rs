use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::future::poll_fn;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::health::PoolEvent;
use crate::health::through::ThroughError;
use crate::model::{DestinationId, ServiceId};
use crate::table::controller::{Request, Wish};

/// What a [`Runner`](crate::health::probe::Runner) has to say.
///
/// A program hands those that are [requests](Self::into_request) to its controller, and prints or
/// counts the others.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Update {
    /// What the table is to hold of a service has changed.
    Wish(Wish),
    /// Something has happened in the pool of a service.
    Event(ServiceId, PoolEvent),
    /// The table is not to have a service any more: the program [forgets
    /// it](crate::health::probe::Runner::forget), or it is one of a firewall mark that no check needs.
    Forget(ServiceId),
    /// A check of a destination cannot be done, for a reason that is not the destination's, such as a
    /// missing program or privilege. The verdict stays as it is. Said once until the reason changes
    /// or the check is done.
    #[non_exhaustive]
    NotDone {
        /// The destination.
        destination: DestinationId,
        /// The reason, for people.
        reason: String,
    },
    /// Checks of a destination through the virtual address cannot be done. The verdict stays as it
    /// is. Said once until the reason changes.
    #[non_exhaustive]
    Refused {
        /// The service.
        service: ServiceId,
        /// The destination.
        destination: DestinationId,
        /// The reason.
        error: ThroughError,
    },
}

impl Update {
    /// Returns the request to a [`Controller`](crate::table::controller::Controller), if the update
    /// is a wish or takes one back.
    #[must_use]
    pub fn into_request(self) -> Option<Request> {
        match self {
            Self::Wish(wish) => Some(wish.into()),
            Self::Forget(service) => Some(Request::Forget(service)),
            Self::Event(..) | Self::NotDone { .. } | Self::Refused { .. } => None,
        }
    }
}

impl fmt::Display for Update {
    /// Prints an event as `TCP 192.0.2.10:80: 10.0.0.2:8080 is down`, and a wish as the destinations
    /// with their weights.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(service, event) => write!(f, "{service}: {event}"),
            Self::Forget(service) => write!(f, "{service}: the table is not to have it"),
            Self::NotDone { destination, reason } => {
                write!(f, "{destination} cannot be checked: {reason}")
            }
            Self::Refused { service, destination, error } => {
                write!(f, "{service} -> {destination} cannot be checked: {error}")
            }
            Self::Wish(wish) => {
                write!(f, "{}: the table is to hold", wish.id())?;
                for (at, destination) in wish.service().destinations().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    let weight = destination.destination().weight;
                    write!(f, "{comma} {} weight {weight}", destination.id())?;
                }
                match wish.service().destinations().len() {
                    0 => f.write_str(" no destination"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// The updates of a runner, in their order. Clones share them: each update goes to one of them.
///
/// A wish takes the place of an older one for the same service that nobody has taken out yet, so a
/// program that reads slowly falls behind by one wish for each service at most. Of what is no request
/// to a controller, such as events, the newest 65536 are kept; [`lost`](Self::lost) counts the others.
///
/// A program with the blocking client waits here for the next update, or until its controller has
/// something to do:
///
/// ```
/// use std::time::Duration;
///
/// use ipvs_netlink::Client;
/// use ipvs_netlink::health::probe::Updates;
/// use ipvs_netlink::table::controller::{Controller, ControllerOptions};
///
/// /// Keeps the table as the checks say, until the runner is dropped.
/// fn keep(ipvs: &mut Client, updates: &Updates) {
///     let mut controller = Controller::new(ControllerOptions::new());
///     while !updates.has_ended() {
///         let stepped = ipvs.step(&mut controller);
///         controller.events().for_each(|event| println!("{event}"));
///         if let Some(update) = updates.next_within(stepped.pause(ipvs.now())) {
///             println!("{update}");
///             if let Some(request) = update.into_request() {
///                 controller.accept(request);
///             }
///         }
///     }
///     // What the runner has asked for at its end.
///     let longest = Duration::from_secs(60);
///     ipvs.settle(&mut controller, longest, |event| println!("{event}"));
/// }
/// ```
///
/// The chapter [Health checks](crate::health) has the same for the async clients.
#[derive(Clone, Debug)]
pub struct Updates(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// By the order in which they came.
    updates: BTreeMap<u64, Update>,
    /// The places of the wishes.
    wishes: BTreeMap<ServiceId, u64>,
    /// The places of what is no request.
    told: VecDeque<u64>,
    /// The number of all updates that have come.
    came: u64,
    /// The number of those that nobody will take out.
    lost: u64,
    ended: bool,
    /// Of the tasks that wait.
    wakers: Vec<Waker>,
}

/// The most updates that are no requests. Each of the thousands of destinations of a rack that dies
/// says several things.
const MOST_TOLD: usize = 65_536;

impl Queue {
    fn add(&mut self, mut update: Update) {
        self.came += 1;
        if !matches!(update, Update::Wish(_) | Update::Forget(_)) {
            if self.told.len() >= MOST_TOLD {
                let oldest = self.told.pop_front();
                self.lost += u64::from(oldest.and_then(|at| self.updates.remove(&at)).is_some());
            }
            self.told.push_back(self.came);
        }
        if let Update::Wish(wish) = &mut update {
            let older = self.wishes.insert(wish.id(), self.came);
            if let Some(Update::Wish(older)) = older.and_then(|at| self.updates.remove(&at)) {
                wish.replace(&older);
            }
        }
        self.updates.insert(self.came, update);
    }

    fn take(&mut self) -> Option<Update> {
        let (at, update) = self.updates.pop_first()?;
        if let Update::Wish(wish) = &update {
            self.wishes.remove(&wish.id());
        }
        if self.told.front() == Some(&at) {
            self.told.pop_front();
        }
        Some(update)
    }

    /// Takes out an update, or notes who is to be woken by the next one. Returns `None` at the end.
    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Update>> {
        match self.take() {
            Some(update) => Poll::Ready(Some(update)),
            None if self.ended => Poll::Ready(None),
            None => {
                let waker = context.waker();
                if !self.wakers.iter().any(|waits| waits.will_wake(waker)) {
                    self.wakers.push(waker.clone());
                }
                Poll::Pending
            }
        }
    }
}

/// Ends the updates when it is dropped, also by a panic.
pub(super) struct Ends(pub(super) Updates);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl Updates {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while the lock is held.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds updates, and wakes who waits.
    pub(super) fn add(&self, updates: impl IntoIterator<Item = Update>) {
        let mut queue = self.queue();
        updates.into_iter().for_each(|update| queue.add(update));
        if !queue.updates.is_empty() {
            self.wake(queue);
        }
    }

    fn wake(&self, mut queue: MutexGuard<'_, Queue>) {
        let wakers = mem::take(&mut queue.wakers);
        drop(queue);
        self.0.came.notify_all();
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Notes that no update will come any more.
    fn end(&self) {
        let mut queue = self.queue();
        queue.ended = true;
        self.wake(queue);
    }

    /// Waits for the end, at most so long. Returns whether it has come.
    pub(super) fn wait_for_end(&self, timeout: Duration) -> bool {
        let waits = |queue: &mut Queue| !queue.ended;
        let waited = self.0.came.wait_timeout_while(self.queue(), timeout, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Returns the next update if there is one.
    #[must_use]
    pub fn try_next(&self) -> Option<Update> {
        self.queue().take()
    }

    /// Returns `true` if the runner has ended and all its updates are taken out.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let queue = self.queue();
        queue.ended && queue.updates.is_empty()
    }

    /// Returns how many updates were dropped because the program has not taken out enough of them.
    /// None of them was a request to a controller.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.queue().lost
    }

    /// Waits for the next update, at most so long. Returns `None` at the timeout, and when the
    /// runner has ended.
    #[must_use]
    pub fn next_within(&self, timeout: Duration) -> Option<Update> {
        let waits = |queue: &mut Queue| queue.updates.is_empty() && !queue.ended;
        let waited = self.0.came.wait_timeout_while(self.queue(), timeout, waits);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.take()
    }

    /// Waits for the next update, in any runtime. Returns `None` when the runner has ended.
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&self) -> Option<Update> {
        poll_fn(|context| self.queue().poll(context)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::model::{Destination, Service};
    use crate::table::TableService;

    #[test]
    fn a_wish_takes_the_place_of_the_one_that_nobody_has_read() {
        let id = |port| ServiceId::tcp(([192, 0, 2, 10], port).into());
        let wish = |port, weight| {
            let destination = Destination::masquerade(([10, 0, 0, 1], 80).into()).weight(weight);
            let service = Service::new(id(port));
            Update::Wish(Wish::new(TableService::new(service).with(destination)))
        };
        let event = |port| Update::Event(id(port), PoolEvent::Available);
        let updates = Updates::new();
        updates.add([wish(1, 1), event(1), wish(2, 1)]);
        (2..1000).for_each(|weight| updates.add([wish(1, weight)]));
        updates.add([Update::Forget(id(2)), wish(2, 2)]);
        let all: Vec<_> = std::iter::from_fn(|| updates.try_next()).collect();
        assert_eq!(all, [event(1), wish(1, 999), Update::Forget(id(2)), wish(2, 2)]);
        updates.add([wish(1, 1)]);
        assert_eq!(updates.try_next(), Some(wish(1, 1)));
        assert!(updates.queue().wishes.is_empty());
    }

    #[test]
    fn events_that_nobody_reads_are_counted_and_dropped() {
        let id = ServiceId::tcp(([192, 0, 2, 10], 80).into());
        let updates = Updates::new();
        updates.add([Update::Forget(id)]);
        let event = |event| Update::Event(id, event);
        updates.add([event(PoolEvent::SorryServerIn), event(PoolEvent::SorryServerOut)]);
        updates.add((1..MOST_TOLD).map(|_| event(PoolEvent::Available)));
        assert_eq!(updates.lost(), 1);
        assert_eq!(updates.try_next(), Some(Update::Forget(id)));
        assert_eq!(updates.try_next(), Some(event(PoolEvent::SorryServerOut)));
        updates.add([event(PoolEvent::Available)]);
        assert_eq!(updates.lost(), 1);
        assert_eq!(std::iter::from_fn(|| updates.try_next()).count(), MOST_TOLD);
        assert!(updates.queue().told.is_empty());
    }

    #[test]
    fn every_task_that_waits_is_woken() {
        let wakes = Arc::new(Count::default());
        let updates = Updates::new();
        let waker = Waker::from(Arc::clone(&wakes));
        let others = [Waker::from(Arc::new(Count::default())), waker];
        for waker in others.iter().chain(&others) {
            let mut next = Box::pin(updates.next());
            assert!(next.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        }
        assert_eq!(updates.queue().wakers.len(), 2);
        updates.end();
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_leaves_at_once_by_a_wish_that_nobody_has_read_does_so_by_the_next() {
        let [dead, back, left, live] =
            [1, 2, 3, 4].map(|host| Destination::masquerade(([10, 0, 0, host], 80).into()));
        let wish = |destinations: &[&Destination]| {
            let service = Service::tcp(([192, 0, 2, 10], 80).into());
            let with = |service: TableService, there: &&Destination| service.with((*there).clone());
            Wish::new(destinations.iter().fold(TableService::new(service), with))
        };
        let next = |wishes: [Wish; 3]| {
            let updates = Updates::new();
            wishes.into_iter().for_each(|wish| updates.add([Update::Wish(wish)]));
            let Some(Update::Wish(wish)) = updates.try_next() else { panic!("no wish") };
            assert_eq!(updates.try_next(), None);
            [&dead, &back, &left, &live].map(|there| wish.leaves_at_once(there.id))
        };
        let first = wish(&[&left, &live]).at_once(dead.id).at_once(back.id);
        let last = wish(&[&back, &live]);
        assert_eq!(next([first, wish(&[&live]), last.clone()]), [true, false, false, false]);
        let first = wish(&[&left, &live]).all_at_once();
        assert_eq!(next([first, wish(&[&live]), last]), [false, false, true, false]);
    }

    #[test]
    fn a_thread_that_panics_ends_its_updates() {
        let updates = Updates::new();
        let ends = Ends(updates.clone());
        let thread = std::thread::spawn(move || {
            let _ends = ends;
            panic!("a fault of this crate");
        });
        assert!(thread.join().is_err());
        assert!(updates.has_ended() && updates.next_within(Duration::MAX).is_none());
    }
}
