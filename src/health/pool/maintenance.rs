use std::fmt;
use std::time::Instant;

/// What an operator has decided about a destination. Health checks do not change it, and it does
/// not change what they know.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use ipvs_netlink::health::{Maintenance, MaintenanceKind};
///
/// let hour = Instant::now() + Duration::from_secs(3600);
/// let drain = Maintenance::new(MaintenanceKind::Drain, "alice: new disk").until(hour);
/// assert_eq!(drain.to_string(), "drain, by alice: new disk, ends by itself");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Maintenance {
    /// What becomes of the destination.
    pub kind: MaintenanceKind,
    /// Who has decided it, for people.
    pub by: String,
    /// When it ends by itself; `None` if somebody must end it.
    pub until: Option<Instant>,
}

/// What becomes of a destination in maintenance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MaintenanceKind {
    /// It gets weight 0 and stays in the table: its connections go on. With the schedulers `dh`, and
    /// `sh` and `mh` without their fallback, it leaves the table at once, because they refuse
    /// clients for a destination of weight 0.
    Drain,
    /// It leaves the table, drained.
    Out,
}

impl Maintenance {
    /// Creates a maintenance that somebody must end.
    #[must_use]
    pub fn new(kind: MaintenanceKind, by: impl Into<String>) -> Self {
        Self { kind, by: by.into(), until: None }
    }

    /// Sets when the maintenance ends by itself.
    #[must_use]
    pub fn until(mut self, until: Instant) -> Self {
        self.until = Some(until);
        self
    }
}

impl fmt::Display for Maintenance {
    /// Prints `drain, by alice: new disk, ends by itself`. When the maintenance ends is not printed,
    /// because an [`Instant`] has no date.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if !self.by.is_empty() {
            write!(f, ", by {}", self.by)?;
        }
        match self.until {
            Some(_) => f.write_str(", ends by itself"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for MaintenanceKind {
    /// Prints `drain` or `out`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Drain => "drain",
            Self::Out => "out",
        })
    }
}
