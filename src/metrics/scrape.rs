use std::collections::HashMap;
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use crate::metrics::families::{self, Entry};
use crate::metrics::{ApplyCounts, Family, HealthCounts, Options, Sample};
use crate::model::{Info, ServiceId, Snapshot, Stats, Timeouts};
use crate::table::{Labels, Table};

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

    /// Says that the table could not be read. Only samples of other settings of the source appear.
    #[must_use]
    pub fn unread() -> Self {
        Self::default()
    }

    /// Sets the value of the label `netns`, which all samples then have: the name of the network namespace.
    #[must_use]
    pub const fn netns(mut self, name: &'a str) -> Self {
        self.netns = Some(name);
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

    /// Adds labels of the user's own to the samples of services and their destinations. [`labels_of`]
    /// takes them from a table.
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
        let counts = self.sources.iter().filter_map(|source| source.snapshot);
        counts.map(Snapshot::len).sum::<usize>() <= self.options.most_services
    }

    /// Whether each destination may have samples of its own.
    pub(super) fn destinations_fit(&self) -> bool {
        let services = self.sources.iter().filter_map(|source| source.snapshot).flatten();
        let counts = services.map(|service| service.destinations.len());
        counts.sum::<usize>() <= self.options.most_destinations
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

/// Labels of the user's own by service: a name, a team.
pub type ServiceLabels = HashMap<ServiceId, Labels>;

/// Takes the labels of all services of a table that have some.
///
/// ```
/// use ipvs_netlink::Service;
/// use ipvs_netlink::metrics::labels_of;
/// use ipvs_netlink::table::{Labels, Table, TableService};
///
/// let mut labels = Labels::new();
/// labels.insert("team", "checkout")?;
/// let web = Service::tcp("192.0.2.10:80".parse()?);
/// let mut table = Table::new();
/// table.insert(TableService::new(web.clone()).labelled(labels));
/// assert_eq!(labels_of(&table)[&web.id].get("team"), Some("checkout"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn labels_of(table: &Table) -> ServiceLabels {
    let labelled = table.services().filter(|service| !service.labels().is_empty());
    labelled.map(|service| (service.id(), service.labels().clone())).collect()
}
