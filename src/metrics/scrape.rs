use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::metrics::families::{self, DestinationNumber, Entry, Of};
use crate::metrics::{ApplyCounts, Family, HealthCounts, Options, Sample, ServiceLabels};
use crate::model::{Info, Snapshot, Stats, Timeouts};

/// What was read of one network namespace, to be turned into samples.
///
/// Everything but the snapshot is optional: what is not given has no samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    pub(super) netns: Option<&'a str>,
    pub(super) snapshot: Option<&'a Snapshot>,
    pub(super) info: Option<Info>,
    pub(super) timeouts: Option<Timeouts>,
    pub(super) totals: Option<Stats>,
    pub(super) estimation: Option<bool>,
    pub(super) labels: Option<&'a ServiceLabels>,
    pub(super) health: Option<&'a HealthCounts>,
    pub(super) apply: Option<&'a ApplyCounts>,
    pub(super) scraped: Option<(bool, Duration)>,
}

impl<'a> Source<'a> {
    /// Takes a snapshot.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self { snapshot: Some(snapshot), ..Self::default() }
    }

    /// Says that the table could not be read. The source then has only what its other methods add:
    /// [`scraped`](Self::scraped), [`health`](Self::health) and so on.
    #[must_use]
    pub fn unread() -> Self {
        Self::default()
    }

    /// Sets the value of the label `netns`, which all samples then have: the name of the network namespace.
    /// An empty name is none.
    #[must_use]
    pub const fn netns(mut self, name: &'a str) -> Self {
        self.netns = if name.is_empty() { None } else { Some(name) };
        self
    }

    /// Adds what `Client::info` returns.
    #[must_use]
    pub fn info(mut self, info: impl Into<Option<Info>>) -> Self {
        self.info = info.into();
        self
    }

    /// Adds what `Client::timeouts` returns.
    #[must_use]
    pub fn timeouts(mut self, timeouts: impl Into<Option<Timeouts>>) -> Self {
        self.timeouts = timeouts.into();
        self
    }

    /// Adds the totals of the namespace, from `/proc/net/ip_vs_stats`. Do not add up the services instead:
    /// the sum shrinks when a service is deleted.
    #[must_use]
    pub fn totals(mut self, totals: impl Into<Option<Stats>>) -> Self {
        self.totals = totals.into();
        self
    }

    /// Says whether the kernel keeps the counters up to date: what
    /// [`Settings::counters_run`](crate::Settings::counters_run) returns.
    #[must_use]
    pub fn estimation_enabled(mut self, enabled: impl Into<Option<bool>>) -> Self {
        self.estimation = enabled.into();
        self
    }

    /// Adds labels of the user's own to the samples of services and their destinations.
    #[must_use]
    pub const fn labels(mut self, labels: &'a ServiceLabels) -> Self {
        self.labels = Some(labels);
        self
    }

    /// Adds counts of health checks. Those of destinations have samples with
    /// [`Destinations::health`](crate::metrics::Destinations::health).
    #[must_use]
    pub const fn health(mut self, counts: &'a HealthCounts) -> Self {
        self.health = Some(counts);
        self
    }

    /// Adds counts of writes.
    #[must_use]
    pub const fn apply(mut self, counts: &'a ApplyCounts) -> Self {
        self.apply = Some(counts);
        self
    }

    /// Says whether reading succeeded, and how long it took. Programs that serve samples should always say
    /// so: without it, a table that cannot be read shows nothing on which an alert could fire.
    #[must_use]
    pub const fn scraped(mut self, success: bool, took: Duration) -> Self {
        self.scraped = Some((success, took));
        self
    }
}

/// Everything that one scrape shows: what was read of one or more namespaces, and which samples are wanted.
///
/// [`families`](Self::families) yields its samples, family by family. A scrape holds no sample, so that
/// large tables cost no memory. [`write`](Self::write) prints all of them in a text format.
#[derive(Clone, Debug)]
pub struct Scrape<'a> {
    pub(super) options: Options,
    pub(super) sources: Vec<Source<'a>>,
}

impl<'a> Scrape<'a> {
    /// Creates a scrape of one namespace.
    #[must_use]
    pub fn new(source: Source<'a>, options: Options) -> Self {
        Self { options, sources: vec![source] }
    }

    /// Creates a scrape of several namespaces, each with its [name](Source::netns). A source with the
    /// name of one before it is left out, because its samples would be doubled.
    #[must_use]
    pub fn of_all(sources: impl IntoIterator<Item = Source<'a>>, options: Options) -> Self {
        let mut seen = std::collections::HashSet::new();
        let sources = sources.into_iter().filter(|source| seen.insert(source.netns));
        let sources = sources.collect();
        Self { options, sources }
    }

    /// Yields the families with their samples. A family may have none.
    pub fn families(&self) -> impl Iterator<Item = FamilySamples<'_>> {
        families::of(self).map(|entry| FamilySamples { scrape: self, entry })
    }

    /// Whether each service has samples of its own.
    pub(super) fn services_fit(&self) -> bool {
        let counts = self.sources.iter().filter_map(Source::service_rows);
        counts.sum::<usize>() <= self.options.most_services
    }

    /// Whether each destination may have samples of its own.
    pub(super) fn destinations_fit(&self) -> bool {
        let counts = self.sources.iter().filter_map(|it| it.destination_rows(&self.options));
        counts.sum::<usize>() <= self.options.most_destinations
    }
}

impl Source<'_> {
    /// How many services have samples: those of the table or, if they are more, those with health checks.
    pub(super) fn service_rows(&self) -> Option<usize> {
        self.snapshot.map(Snapshot::len).max(self.health.map(HealthCounts::service_count))
    }

    /// How many destinations have samples, where they are wanted: those of the table or, if they are more,
    /// those with health checks.
    pub(super) fn destination_rows(&self, options: &Options) -> Option<usize> {
        let in_table = self.snapshot.filter(|_| options.wants_table());
        let in_table = in_table.map(|it| it.services().map(|it| it.destinations.len()).sum());
        let checked = self.health.filter(|_| options.wants_health());
        in_table.max(checked.map(HealthCounts::destination_count))
    }
}

/// A family and its samples in a scrape. See [`Scrape::families`].
#[derive(Clone, Copy)]
pub struct FamilySamples<'s> {
    scrape: &'s Scrape<'s>,
    entry: &'static Entry,
}

impl FamilySamples<'_> {
    /// Returns the family.
    #[must_use]
    pub const fn family(&self) -> &'static Family {
        &self.entry.family
    }

    /// Returns what a family of plain numbers of destinations shows.
    pub(super) const fn destination_number(&self) -> Option<DestinationNumber> {
        match self.entry.of {
            Of::DestinationNumber(number) => Some(number),
            _ => None,
        }
    }

    /// Calls `each` for every sample, until it fails.
    ///
    /// # Errors
    ///
    /// The first error of `each`.
    pub fn try_for_each<E>(
        &self,
        mut each: impl FnMut(&Sample<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut failure = Ok(());
        let _ = self.entry.of.samples(self.scrape, &mut |sample| match each(sample) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                failure = Err(error);
                ControlFlow::Break(())
            }
        });
        failure
    }

    /// Calls `each` for every sample.
    pub fn for_each(&self, mut each: impl FnMut(&Sample<'_>)) {
        let _ = self.entry.of.samples(self.scrape, &mut |sample| {
            each(sample);
            ControlFlow::Continue(())
        });
    }

    /// Returns `true` if there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let found = self.entry.of.samples(self.scrape, &mut |_| ControlFlow::Break(()));
        found.is_continue()
    }
}

impl fmt::Debug for FamilySamples<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FamilySamples").field(self.family()).finish()
    }
}
