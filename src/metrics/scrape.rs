use std::time::Duration;

use crate::metrics::{ApplyCounts, HealthCounts, Options, ServiceLabels};
use crate::model::{Info, Snapshot, Stats, Timeouts};

/// What was read of one network namespace, to be turned into samples.
///
/// Everything but the snapshot is optional: what is not given has no samples.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    pub(super) namespace: Option<&'a str>,
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

    /// Says that the table could not be read. Only samples of other settings of the source appear.
    #[must_use]
    pub fn unread() -> Self {
        Self::default()
    }

    /// Sets the value of the label `namespace`, which all samples then have. Two sources of one scrape
    /// must not have the same.
    #[must_use]
    pub const fn namespace(mut self, name: &'a str) -> Self {
        self.namespace = Some(name);
        self
    }

    /// Adds what `Client::info` returns.
    #[must_use]
    pub const fn info(mut self, info: Info) -> Self {
        self.info = Some(info);
        self
    }

    /// Adds what `Client::timeouts` returns.
    #[must_use]
    pub const fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = Some(timeouts);
        self
    }

    /// Adds the totals of the namespace, from `/proc/net/ip_vs_stats`. Do not add up the services instead:
    /// the sum shrinks when a service is deleted.
    #[must_use]
    pub const fn totals(mut self, totals: Stats) -> Self {
        self.totals = Some(totals);
        self
    }

    /// Says whether the sysctl `net.ipv4.vs.run_estimation` is on.
    #[must_use]
    pub const fn estimation_enabled(mut self, enabled: bool) -> Self {
        self.estimation = Some(enabled);
        self
    }

    /// Adds labels of the user's own to the samples of services and their destinations.
    #[must_use]
    pub const fn labels(mut self, labels: &'a ServiceLabels) -> Self {
        self.labels = Some(labels);
        self
    }

    /// Adds counts of health checks.
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

    /// Says whether reading succeeded, and how long it took.
    #[must_use]
    pub const fn scraped(mut self, success: bool, took: Duration) -> Self {
        self.scraped = Some((success, took));
        self
    }
}

/// Everything that one scrape shows: what was read of one or more namespaces, and which samples are wanted.
///
/// [`visit`](Self::visit) hands each sample to a [`Visitor`](super::Visitor), family by family. A scrape
/// holds no sample, so that large tables cost no memory.
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

    /// Creates a scrape of several namespaces, each with its [name](Source::namespace). A source with the
    /// name of one before it is left out, because its samples would be doubled.
    #[must_use]
    pub fn of_all(sources: impl IntoIterator<Item = Source<'a>>, options: Options) -> Self {
        let mut seen = std::collections::HashSet::new();
        let sources = sources.into_iter().filter(|source| seen.insert(source.namespace));
        let sources = sources.collect();
        Self { options, sources }
    }
}
