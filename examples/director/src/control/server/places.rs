//! Who may have how many connections, so that nobody takes those of the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::Semaphore;

use crate::control::limits::Limits;
use crate::control::problem::Problem;

/// The connections of each user.
#[derive(Debug)]
pub(super) struct Places {
    limits: Limits,
    /// The user of the daemon.
    user: u32,
    users: BTreeMap<Owner, Used>,
}

/// To whom connections are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Owner {
    /// Root and the user of the daemon.
    Own,
    /// Another user.
    Other(u32),
}

#[derive(Debug)]
struct Used {
    connections: usize,
    followers: usize,
    states: Arc<Semaphore>,
    /// When the next order may be given.
    next_order: Option<Instant>,
}

impl Places {
    pub(super) const fn new(limits: Limits, user: u32) -> Self {
        Self { limits, user, users: BTreeMap::new() }
    }

    /// Takes a place for a connection of a user.
    pub(super) fn enter(&mut self, uid: u32, now: Instant) -> Result<Owner, Problem> {
        // A user that goes and comes back at once has the pause of before.
        self.users.retain(|_, used| {
            used.connections > 0 || used.next_order.is_some_and(|next| next > now)
        });
        let owner = if uid == 0 || uid == self.user { Owner::Own } else { Owner::Other(uid) };
        let used = self.users.get(&owner).map_or(0, |used| used.connections);
        if owner == Owner::Own {
            if used >= self.limits.own {
                return Err(Problem::Busy("root and the user of the daemon have all their places"));
            }
        } else {
            if used >= self.limits.each {
                return Err(Problem::Busy("this user has as many connections as one may have"));
            }
            let others = self.users.iter().filter(|(owner, _)| **owner != Owner::Own);
            if others.map(|(_, used)| used.connections).sum::<usize>() >= self.limits.others {
                return Err(Problem::Busy("other users have all places"));
            }
        }
        let states = self.limits.states;
        let used = self.users.entry(owner).or_insert_with(|| Used {
            connections: 0,
            followers: 0,
            states: Arc::new(Semaphore::new(states)),
            next_order: None,
        });
        used.connections += 1;
        Ok(owner)
    }

    /// Lets a connection follow events.
    pub(super) fn follow(&mut self, owner: Owner) -> Result<(), Problem> {
        match self.users.get_mut(&owner) {
            Some(used) if used.followers < self.limits.followers => {
                used.followers += 1;
                Ok(())
            }
            _ => Err(Problem::Busy("this user follows events as often as one may")),
        }
    }

    /// Returns what limits the answers to `status` of a user, which may be large.
    pub(super) fn states(&self, owner: Owner) -> Option<Arc<Semaphore>> {
        self.users.get(&owner).map(|used| Arc::clone(&used.states))
    }

    /// Returns when an order of this user may be carried out.
    pub(super) fn order(&mut self, owner: Owner, now: Instant) -> Instant {
        let Owner::Other(_) = owner else { return now };
        let Some(used) = self.users.get_mut(&owner) else { return now };
        let time = used.next_order.map_or(now, |next| next.max(now));
        used.next_order = time.checked_add(self.limits.pause);
        time
    }

    /// Gives the place of a connection back.
    pub(super) fn leave(&mut self, owner: Owner, follows: bool) {
        let Some(used) = self.users.get_mut(&owner) else { return };
        used.connections = used.connections.saturating_sub(1);
        used.followers = used.followers.saturating_sub(usize::from(follows));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: Limits = Limits { own: 2, others: 5, each: 3, followers: 1, ..Limits::DAEMON };

    fn busy<T: std::fmt::Debug>(result: Result<T, Problem>) -> bool {
        matches!(result.unwrap_err(), Problem::Busy(_))
    }

    #[test]
    fn no_user_takes_the_places_of_others_nor_all_others_those_of_root() {
        let (mut places, now) = (Places::new(LIMITS, 7), Instant::now());
        let first: Vec<_> = (0..3).map(|_| places.enter(1000, now).unwrap()).collect();
        assert!(busy(places.enter(1000, now)));
        assert_eq!(places.enter(1001, now), Ok(Owner::Other(1001)));
        assert_eq!(places.enter(1002, now), Ok(Owner::Other(1002)));
        assert!(busy(places.enter(1003, now)));
        assert_eq!(places.enter(0, now), Ok(Owner::Own));
        assert_eq!(places.enter(7, now), Ok(Owner::Own));
        assert!(busy(places.enter(0, now)));
        places.leave(first[0], false);
        assert_eq!(places.enter(1003, now), Ok(Owner::Other(1003)));
    }

    #[test]
    fn followers_leave_places_for_orders() {
        let (mut places, now) = (Places::new(LIMITS, 7), Instant::now());
        let (one, two) = (places.enter(0, now).unwrap(), places.enter(0, now).unwrap());
        assert_eq!(places.follow(one), Ok(()));
        assert!(busy(places.follow(two)));
        places.leave(one, true);
        assert_eq!(places.follow(two), Ok(()));
    }

    #[test]
    fn orders_of_others_have_a_pause_and_those_of_root_none() {
        let mut places = Places::new(Limits { pause: Duration::from_secs(1), ..LIMITS }, 7);
        let now = Instant::now();
        let (root, other) = (places.enter(0, now).unwrap(), places.enter(1000, now).unwrap());
        for number in 0..3 {
            assert_eq!(places.order(root, now), now);
            assert_eq!(places.order(other, now), now + Duration::from_secs(number));
        }
        let later = now + Duration::from_secs(9);
        assert_eq!(places.order(other, later), later);
        places.leave(other, false);
        let again = places.enter(1000, later).unwrap();
        assert_eq!(places.order(again, later), later + Duration::from_secs(1));
    }
}
