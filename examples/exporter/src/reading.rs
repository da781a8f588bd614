use std::sync::Arc;
use std::time::{Duration, Instant};

use ipvs_netlink::metrics::{Options, Scrape, ServiceLabels, Source};
use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{Info, Setting, Snapshot, Stats, Timeouts};
use tokio::sync::OwnedSemaphorePermit;

use crate::Target;

/// What was read of one network namespace, or why nothing was.
#[derive(Debug)]
pub struct NamespaceReading {
    /// The value of the label `netns`.
    pub name: Option<String>,
    /// What was read, or an error for the log.
    pub contents: Result<Contents, String>,
    /// How long reading took.
    pub took: Duration,
}

/// The contents of one network namespace. What is `None` has no samples.
#[derive(Clone, Debug, Default)]
pub struct Contents {
    /// The table.
    pub snapshot: Snapshot,
    /// The version, and the size of the connection table.
    pub info: Option<Info>,
    /// The timeouts of connections.
    pub timeouts: Option<Timeouts>,
    /// The totals, where `/proc/net/ip_vs_stats` is readable.
    pub totals: Option<Stats>,
    /// Whether counters are kept up to date, where the kernel has the setting `run_estimation`.
    pub estimation: Option<bool>,
}

impl NamespaceReading {
    /// Reads a namespace. Blocks the calling thread.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let begun = Instant::now();
        let contents = Contents::of(target).map_err(|error| error.to_string());
        Self { name: target.name().map(str::to_owned), contents, took: begun.elapsed() }
    }
}

impl Contents {
    fn of(target: &Target) -> ipvs_netlink::Result<Self> {
        let mut ipvs = target.connect()?;
        let info = Some(ipvs.info()?);
        let timeouts = Some(ipvs.timeouts()?);
        let snapshot = ipvs.snapshot()?;
        // A container may hide these files. What they hold is left out then.
        let files = ipvs.procfs().ok();
        let totals = files.as_ref().and_then(|files| files.totals().ok());
        let estimation = files.as_ref().and_then(estimation);
        Ok(Self { snapshot, info, timeouts, totals, estimation })
    }
}

fn estimation(files: &Procfs) -> Option<bool> {
    let value = files.setting(Setting::RUN_ESTIMATION).ok()??;
    Some(value.to_string() != "0")
}

/// One reading of all namespaces, which all scrapes at one time share.
#[derive(Debug)]
pub struct Reading {
    pub(crate) options: Options,
    pub(crate) labels: Arc<ServiceLabels>,
    pub(crate) namespaces: Vec<NamespaceReading>,
    /// The right to keep a reading in memory.
    pub(crate) _permit: OwnedSemaphorePermit,
}

impl Reading {
    /// The samples.
    #[must_use]
    pub fn scrape(&self) -> Scrape<'_> {
        let sources = self.namespaces.iter().map(|namespace| self.source(namespace));
        Scrape::of_all(sources, self.options)
    }

    fn source<'a>(&'a self, namespace: &'a NamespaceReading) -> Source<'a> {
        let mut source = match &namespace.contents {
            Ok(contents) => {
                let mut source = Source::new(&contents.snapshot).labels(&self.labels);
                if let Some(info) = contents.info {
                    source = source.info(info);
                }
                if let Some(timeouts) = contents.timeouts {
                    source = source.timeouts(timeouts);
                }
                if let Some(totals) = contents.totals {
                    source = source.totals(totals);
                }
                if let Some(enabled) = contents.estimation {
                    source = source.estimation_enabled(enabled);
                }
                source
            }
            Err(_) => Source::unread(),
        };
        if let Some(name) = &namespace.name {
            source = source.netns(name);
        }
        source.scraped(namespace.contents.is_ok(), namespace.took)
    }
}
