use std::sync::Arc;
use std::time::{Duration, Instant};

use ipvs_netlink::metrics::{ApplyCounts, HealthCounts, Options, Scrape, ServiceLabels, Source};
use ipvs_netlink::procfs::{Procfs, ProcfsError, SettingError};
use ipvs_netlink::{Info, Setting, Settings, Snapshot, Stats, Timeouts};
use rustix::io::Errno;
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
    /// What a program counts that keeps the table; nothing for others.
    pub counts: ProgramCounts,
}

/// What a program counts that keeps the table of a namespace. The samples are there also if the table cannot be
/// read.
#[derive(Clone, Debug, Default)]
pub struct ProgramCounts {
    /// Labels of services, in place of those of [`Show`](crate::Show).
    pub labels: Option<ServiceLabels>,
    /// Counts of health checks.
    pub health: Option<HealthCounts>,
    /// Counts of writes.
    pub apply: Option<ApplyCounts>,
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
    /// Whether the kernel keeps its counters up to date, where its settings say so.
    pub counters_run: Option<bool>,
    /// What could not be read besides, for the log.
    pub faults: Vec<String>,
}

impl NamespaceReading {
    /// Reads a namespace. Blocks the calling thread.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let begun = Instant::now();
        let contents = Contents::of(target).map_err(|error| error.to_string());
        let (name, took) = (target.name().map(str::to_owned), begun.elapsed());
        Self { name, contents, took, counts: ProgramCounts::default() }
    }

    /// What could not be read, for the log.
    pub(crate) fn fault(&self) -> Option<String> {
        match &self.contents {
            Ok(Contents { faults, .. }) if faults.is_empty() => None,
            Ok(Contents { faults, .. }) => Some(faults.join("; ")),
            Err(error) => Some(error.clone()),
        }
    }
}

impl Contents {
    fn of(target: &Target) -> ipvs_netlink::Result<Self> {
        let mut ipvs = target.connect()?;
        let info = Some(ipvs.info()?);
        let timeouts = Some(ipvs.timeouts()?);
        let snapshot = ipvs.snapshot()?;
        let mut contents = Self { snapshot, info, timeouts, ..Self::default() };
        match ipvs.procfs() {
            Ok(files) => contents.read_files(&files),
            Err(error) => contents.fault(is_hidden(&error), &error),
        }
        Ok(contents)
    }

    fn read_files(&mut self, files: &Procfs) {
        match files.totals() {
            Ok(totals) => self.totals = Some(totals),
            Err(error) => self.fault(is_hidden(&error), &error),
        }
        let mut settings = Settings::new();
        for setting in [Setting::RUN_ESTIMATION, Setting::EST_CPULIST] {
            match files.setting(setting) {
                Ok(value) => settings.extend(value.map(|value| (setting, value))),
                Err(error) => return self.fault(is_hidden_setting(&error), &error),
            }
        }
        self.counters_run = settings.counters_run();
    }

    fn fault(&mut self, hidden: bool, error: &dyn std::error::Error) {
        if !hidden {
            self.faults.push(error.to_string());
        }
    }
}

/// A container may hide the files. What they hold is left out then.
fn is_hidden(error: &ProcfsError) -> bool {
    matches!(
        error,
        ProcfsError::Absent { .. } | ProcfsError::PermissionDenied { .. } | ProcfsError::NoProc
    )
}

fn is_hidden_setting(error: &SettingError) -> bool {
    let denied = [Errno::ACCESS, Errno::PERM].map(Errno::raw_os_error);
    match error {
        SettingError::Files(error) => is_hidden(error),
        SettingError::Unreadable { errno, .. } => denied.contains(errno),
        _ => false,
    }
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
            Ok(contents) => Source::new(&contents.snapshot)
                .info(contents.info)
                .timeouts(contents.timeouts)
                .totals(contents.totals)
                .estimation_enabled(contents.counters_run),
            Err(_) => Source::unread(),
        };
        let ProgramCounts { labels, health, apply } = &namespace.counts;
        source = source.labels(labels.as_ref().unwrap_or(&self.labels));
        if let Some(health) = health {
            source = source.health(health);
        }
        if let Some(apply) = apply {
            source = source.apply(apply);
        }
        if let Some(name) = &namespace.name {
            source = source.netns(name);
        }
        source.scraped(namespace.fault().is_none(), namespace.took)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_container_hides_is_no_fault() {
        let hidden: SettingError = ProcfsError::NoProc.into();
        assert!(is_hidden_setting(&hidden));
        assert!(!is_hidden_setting(&ProcfsError::MayNotEnter.into()));
        assert!(!is_hidden(&ProcfsError::NotANamespace));
    }
}
