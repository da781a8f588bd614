use std::collections::HashSet;

use ipvs_netlink::kubernetes::{Event, ObjectName};

use super::Source;

/// How many events wait before it is looked whether some are about the same object.
const FEW: usize = 1024;

/// Events that wait for their conversion, in order. Of many events about an object only the newest ones stay, so that
/// the memory does not grow with time while one list never comes.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: Vec<Event>,
    /// How many events there were when those about the same object were dropped last.
    different: usize,
}

impl Waiting {
    pub(super) fn push(&mut self, event: Event) {
        self.events.push(event);
        if self.events.len() >= FEW.max(2 * self.different) {
            self.drop_superseded();
            self.different = self.events.len();
        }
    }

    /// Returns all events.
    pub(super) fn take(&mut self) -> Vec<Event> {
        std::mem::take(self).events
    }

    fn drop_superseded(&mut self) {
        let mut seen = HashSet::new();
        let newest_first = std::mem::take(&mut self.events).into_iter().rev();
        let is_newest = |event: &Event| subject(event).is_none_or(|it| seen.insert(it));
        self.events = newest_first.filter(is_newest).collect();
        self.events.reverse();
    }
}

impl Extend<Event> for Waiting {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|event| self.push(event));
    }
}

/// Returns the object that an event is about.
fn subject(event: &Event) -> Option<(Source, ObjectName)> {
    Some(match event {
        Event::Service(it) => (Source::Services, it.metadata.object_name()),
        Event::ServiceDeleted(name) => (Source::Services, name.clone()),
        Event::Slice(it) => (Source::Slices, it.metadata.object_name()),
        Event::SliceDeleted(name) => (Source::Slices, name.clone()),
        Event::Node(it) => (Source::Node, it.metadata.object_name()),
        Event::NodeDeleted(name) => (Source::Node, ObjectName::new("", name)),
        Event::Pod(it) => (Source::Pods, it.metadata.object_name()),
        Event::PodDeleted(name) => (Source::Pods, name.clone()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipvs_netlink::kubernetes::Service;

    #[test]
    fn of_many_events_about_an_object_the_newest_stay_in_order() {
        let mut waiting = Waiting::default();
        let service = |number: usize| ObjectName::new("shop", &format!("web-{}", number % 3));
        waiting.push(Event::Service(Service::new("shop", "old")));
        for number in 0..100_000 {
            waiting.push(Event::ServiceDeleted(service(number)));
            assert!(waiting.events.len() <= FEW);
        }
        let events = waiting.take();
        assert!(matches!(events[0], Event::Service(_)));
        let last = events[events.len() - 3..].iter().map(|event| subject(event).unwrap().1);
        assert_eq!(last.collect::<Vec<_>>(), (99_997..100_000).map(service).collect::<Vec<_>>());
        assert!(waiting.take().is_empty());
    }
}
