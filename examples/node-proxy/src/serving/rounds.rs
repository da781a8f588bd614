//! Rounds of changes, from their conversion until the kernel's table has them.

use std::collections::{BTreeMap, HashMap};

use ipvs_netlink::ServiceId;

use super::Moment;

/// The most rounds that are told apart. More changes join the newest one.
const MOST: usize = 256;

/// The changes of one conversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Round<T> {
    /// When the conversion began.
    pub(crate) begun: Moment,
    /// `true` if every virtual service is as wished, `false` if an attempt failed or a wish was refused.
    pub(crate) succeeded: bool,
    /// What belongs to the changes.
    pub(crate) load: T,
}

/// A load that can be joined with that of a later round.
pub(crate) trait Join {
    /// Adds what belongs to later changes.
    fn join(&mut self, later: Self);
}

/// The rounds that have not ended.
///
/// A round ends when the outcome of each of its virtual services is known. The controller goes on trying what
/// failed, but no round waits for that: a synchronization of kube-proxy ends too when a service of it failed.
#[derive(Debug)]
pub(crate) struct Rounds<T> {
    open: BTreeMap<u64, Open<T>>,
    last: u64,
    /// The numbers of the rounds that wait for each virtual service, in order.
    waiting: HashMap<ServiceId, Vec<u64>>,
}

#[derive(Debug)]
struct Open<T> {
    round: Round<T>,
    /// How many virtual services have no outcome yet.
    left: usize,
}

impl<T: Join> Rounds<T> {
    pub(crate) fn new() -> Self {
        Self { open: BTreeMap::new(), last: 0, waiting: HashMap::new() }
    }

    /// Begins a round that waits for virtual services. Returns it if there are none.
    pub(crate) fn begin(
        &mut self,
        begun: Moment,
        load: T,
        services: impl IntoIterator<Item = ServiceId>,
    ) -> Option<Round<T>> {
        let mut services = services.into_iter().peekable();
        let round = Round { begun, succeeded: true, load };
        if services.peek().is_none() {
            return Some(round);
        }
        let open = match self.open.len() < MOST {
            true => {
                self.last += 1;
                self.open.entry(self.last).or_insert(Open { round, left: 0 })
            }
            false => {
                let newest = self.open.get_mut(&self.last)?;
                newest.round.load.join(round.load);
                newest
            }
        };
        for service in services {
            let numbers = self.waiting.entry(service).or_default();
            if numbers.last() != Some(&self.last) {
                numbers.push(self.last);
                open.left += 1;
            }
        }
        None
    }

    /// Takes in the outcome of a virtual service. Returns the rounds that end with it, the oldest first.
    pub(crate) fn outcome(&mut self, service: ServiceId, succeeded: bool) -> Vec<Round<T>> {
        let numbers = self.waiting.remove(&service).unwrap_or_default();
        numbers.into_iter().filter_map(|number| self.outcome_in(number, succeeded)).collect()
    }

    fn outcome_in(&mut self, number: u64, succeeded: bool) -> Option<Round<T>> {
        let open = self.open.get_mut(&number)?;
        open.round.succeeded &= succeeded;
        open.left = open.left.saturating_sub(1);
        match open.left {
            0 => self.open.remove(&number).map(|open| open.round),
            _ => None,
        }
    }

    /// Returns when the oldest open round began.
    pub(crate) fn oldest(&self) -> Option<Moment> {
        self.open.values().next().map(|open| open.round.begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Join for Vec<u32> {
        fn join(&mut self, later: Self) {
            self.extend(later);
        }
    }

    fn id(port: u16) -> ServiceId {
        ServiceId::tcp(([10, 96, 0, 1], port).into())
    }

    #[test]
    fn a_round_ends_with_its_last_service() {
        let (mut rounds, start) = (Rounds::new(), Moment::now());
        assert_eq!(rounds.begin(start, vec![1], [id(1), id(2), id(1)]), None);
        assert_eq!(rounds.oldest(), Some(start));
        assert_eq!(rounds.outcome(id(3), true), []);
        assert_eq!(rounds.outcome(id(1), true), []);
        // It is counted once.
        assert_eq!(rounds.outcome(id(1), true), []);
        let ended = Round { begun: start, succeeded: true, load: vec![1] };
        assert_eq!(rounds.outcome(id(2), true), [ended]);
        assert_eq!(rounds.oldest(), None);
        assert!(rounds.waiting.is_empty());
    }

    #[test]
    fn a_round_that_waits_for_nothing_has_ended() {
        let mut rounds = Rounds::new();
        let round = rounds.begin(Moment::now(), vec![1], []).unwrap();
        assert!(round.succeeded);
        assert_eq!(rounds.oldest(), None);
    }

    #[test]
    fn one_failure_fails_the_round() {
        let mut rounds = Rounds::new();
        rounds.begin(Moment::now(), vec![1], [id(1), id(2)]);
        assert_eq!(rounds.outcome(id(1), false), []);
        assert!(!rounds.outcome(id(2), true)[0].succeeded);
    }

    #[test]
    fn a_service_of_two_rounds_ends_both() {
        let (mut rounds, start) = (Rounds::new(), Moment::now());
        rounds.begin(start, vec![1], [id(1), id(2)]);
        rounds.begin(start.after(10), vec![2], [id(1)]);
        let ended = rounds.outcome(id(1), true);
        assert_eq!(ended.iter().map(|it| it.load.clone()).collect::<Vec<_>>(), [[2]]);
        // The older one waits for the other service.
        assert_eq!(rounds.oldest(), Some(start));
        assert_eq!(rounds.outcome(id(2), true).len(), 1);
    }

    /// While nothing can be written, the memory does not grow with each change.
    #[test]
    fn too_many_rounds_join() {
        let (mut rounds, start) = (Rounds::new(), Moment::now());
        for number in 0..2000_u32 {
            rounds.begin(start.after(number.into()), vec![number], [id(1)]);
        }
        assert_eq!(rounds.open.len(), MOST);
        assert_eq!(rounds.waiting[&id(1)].len(), MOST);
        let ended = rounds.outcome(id(1), true);
        assert_eq!(ended.len(), MOST);
        assert_eq!(ended.iter().flat_map(|round| &round.load).count(), 2000);
        assert_eq!(ended[0].begun, start);
        assert!(rounds.open.is_empty());
    }
}
