//! When changes of endpoints began, as their slices say.

use std::collections::BTreeMap;
use std::time::SystemTime;

use ipvs_netlink::kubernetes::{EndpointSlice, ObjectName};
use jiff::Timestamp;

/// The annotation of an endpoint slice that says when the change began that it shows.
pub(super) const TRIGGER_TIME: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The most trigger times of a service that are kept until its changes are converted.
const MOST_TRIGGERS: usize = 64;

/// The times at which changes began that were told and not converted yet.
#[derive(Debug)]
pub(super) struct Triggers {
    /// Changes from before this time are not measured, because this program was not there.
    started: SystemTime,
    times: BTreeMap<ObjectName, Vec<SystemTime>>,
}

impl Triggers {
    pub(super) const fn new(started: SystemTime) -> Self {
        Self { started, times: BTreeMap::new() }
    }

    /// Takes in a slice that was added or changed.
    ///
    /// Source: `pkg/proxy/endpointschangetracker.go:EndpointSliceUpdate`.
    pub(super) fn told(&mut self, slice: &EndpointSlice) {
        let Some(service) = slice.service() else { return };
        let text = slice.metadata.annotations.get(TRIGGER_TIME);
        let time = text.and_then(|text| text.parse::<Timestamp>().ok());
        let time = time.map(SystemTime::from).filter(|time| *time > self.started);
        if let Some(time) = time {
            let name = ObjectName::new(&slice.metadata.namespace, service);
            let times = self.times.entry(name).or_default();
            if times.len() < MOST_TRIGGERS {
                times.push(time);
            }
        }
    }

    /// Takes out the times of a service.
    pub(super) fn take(&mut self, service: &ObjectName) -> Vec<SystemTime> {
        self.times.remove(service).unwrap_or_default()
    }

    /// Forgets all times.
    pub(super) fn clear(&mut self) {
        self.times.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(triggers: &mut Triggers, text: &str) {
        let mut slice = EndpointSlice::new("shop", "web-1", "web");
        slice.metadata.annotations.insert(TRIGGER_TIME.into(), text.into());
        triggers.told(&slice);
    }

    #[test]
    fn times_that_nobody_converts_are_bounded() {
        let (mut triggers, web) =
            (Triggers::new(SystemTime::UNIX_EPOCH), ObjectName::new("shop", "web"));
        (0..200).for_each(|_| told(&mut triggers, "2026-11-29T05:00:01Z"));
        assert_eq!(triggers.take(&web).len(), MOST_TRIGGERS);
        assert_eq!(triggers.take(&web), []);
    }

    #[test]
    fn times_from_before_the_start_and_other_texts_count_for_nothing() {
        let started: Timestamp = "2026-11-29T05:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-29T05:00:00Z", 0),
            ("2026-11-28T05:00:00Z", 0),
            ("yesterday", 0),
            ("", 0),
            ("2026-11-29T05:00:00.000000001Z", 1),
            ("2026-11-29T07:00:00+01:00", 1),
        ] {
            let mut triggers = Triggers::new(started.into());
            told(&mut triggers, text);
            assert_eq!(triggers.take(&ObjectName::new("shop", "web")).len(), expected, "{text}");
        }
    }
}
