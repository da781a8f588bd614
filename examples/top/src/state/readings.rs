use std::time::Duration;

use ipvs_netlink::growth::{self, Growth};

use crate::state::Reading;
use crate::state::known::Known;

/// The shortest time over which rates are averaged, once the program has run so long. The kernel
/// brings counters up to date every two seconds, so this holds two such steps.
const WINDOW: Duration = Duration::from_secs(4);

/// The readings that are kept: the latest, the one before, and an older one to compare with.
#[derive(Clone, Debug, Default)]
pub struct Readings {
    latest: Option<Reading>,
    previous: Option<Reading>,
    /// What was known before the latest.
    known: Option<Known>,
    /// 4 to 8 seconds older than the latest, or the first one.
    base: Option<Reading>,
    /// The base to come.
    next_base: Option<Reading>,
}

impl Readings {
    /// Takes a new reading.
    pub fn push(&mut self, reading: Reading) {
        let is_older =
            |base: &Option<Reading>| base.as_ref().is_some_and(|it| age(it, &reading) >= WINDOW);
        if self.base.is_none() {
            self.base = Some(reading.clone());
        } else if is_older(&self.next_base) {
            self.base = self.next_base.replace(reading.clone());
        } else if self.next_base.is_none() && is_older(&self.base) {
            self.next_base = Some(reading.clone());
        }
        self.previous = self.latest.replace(reading);
        if let Some(previous) = &self.previous {
            self.known = Some(Known::with(self.known.take(), previous.clone()));
        }
    }

    /// The latest reading.
    #[must_use]
    pub const fn latest(&self) -> Option<&Reading> {
        self.latest.as_ref()
    }

    /// The reading before the latest.
    #[must_use]
    pub const fn previous(&self) -> Option<&Reading> {
        self.previous.as_ref()
    }

    /// The growth of counters over the window of rates.
    #[must_use]
    pub fn growth(&self) -> Option<Growth<'_>> {
        Some(between(self.base.as_ref()?, self.latest.as_ref()?))
    }

    /// The growth since each service and destination was seen last.
    #[must_use]
    pub fn last_growth(&self) -> Option<Growth<'_>> {
        Some(between(&self.known.as_ref()?.reading, self.latest.as_ref()?))
    }

    /// Whether nothing was missing before the latest reading: what only that one has is new.
    pub(crate) fn knew_all(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.is_whole)
    }
}

fn age(earlier: &Reading, later: &Reading) -> Duration {
    later.at.since(&earlier.at)
}

fn between<'r>(before: &'r Reading, after: &'r Reading) -> Growth<'r> {
    let reading = |it: &'r Reading| {
        let reading = growth::Reading::at(&it.snapshot, it.at.instant);
        match it.estimation {
            Some(enabled) => reading.estimation_enabled(enabled),
            None => reading,
        }
    };
    Growth::between(reading(before), reading(after))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ipvs_netlink::Snapshot;

    use super::*;
    use crate::Moment;

    fn at(moment: Moment) -> Reading {
        Reading {
            at: moment,
            took: Duration::ZERO,
            snapshot: Arc::new(Snapshot::default()),
            info: None,
            processors: None,
            estimation: None,
            writers: crate::state::Writers::default(),
        }
    }

    #[test]
    fn the_window_is_four_to_eight_seconds_long() {
        let begun = Moment::now();
        let mut readings = Readings::default();
        for second in 0..60 {
            readings.push(at(begun.after(Duration::from_secs(second))));
            let window = readings.growth().unwrap().interval().as_secs();
            match second {
                0..=7 => assert_eq!(window, second),
                _ => assert!((4..8).contains(&window), "{window} at {second}"),
            }
        }
    }

    #[test]
    fn after_a_long_pause_the_window_is_as_long() {
        let begun = Moment::now();
        let mut readings = Readings::default();
        for second in [0, 4, 100, 101] {
            readings.push(at(begun.after(Duration::from_secs(second))));
        }
        assert_eq!(readings.growth().unwrap().interval().as_secs(), 97);
    }
}
