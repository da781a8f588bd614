use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::model::Operation;

/// Counts of the writes that a program did.
///
/// ```
/// use std::time::SystemTime;
/// use ipvs_netlink::Operation;
/// use ipvs_netlink::metrics::ApplyCounts;
///
/// let mut counts = ApplyCounts::new();
/// counts.record(Operation::AddService, true);
/// counts.record(Operation::AddService, false);
/// counts.succeeded_at(SystemTime::now());
/// ```
#[derive(Clone, Debug, Default)]
pub struct ApplyCounts {
    /// Successes and failures by the name of the operation, and its words.
    operations: BTreeMap<String, [u64; 2]>,
    last_success: Option<Duration>,
}

impl ApplyCounts {
    /// Creates counts of 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Counts one operation of a plan or a controller, and whether it succeeded.
    pub fn record(&mut self, operation: Operation, success: bool) {
        let [succeeded, failed] = self.operations.entry(operation.to_string()).or_default();
        let count = if success { succeeded } else { failed };
        *count = count.saturating_add(1);
    }

    /// Says when the table was last as wished.
    pub fn succeeded_at(&mut self, time: SystemTime) {
        self.last_success = time.duration_since(UNIX_EPOCH).ok();
    }

    /// Yields the operations by their words, such as `add service`, with how many succeeded and failed.
    pub(crate) fn operations(&self) -> impl Iterator<Item = (&str, [u64; 2])> {
        self.operations.iter().map(|(operation, counts)| (operation.as_str(), *counts))
    }

    pub(crate) const fn last_success(&self) -> Option<Duration> {
        self.last_success
    }
}
