//! How the kernel's table is, as a condition of the Node object says it, and when it is written.

use std::time::{Duration, Instant};

use ipvs_netlink::table::controller::Event;
use jiff::Timestamp;
use serde_json::{Value, json};

/// The time from one heartbeat of the condition to the next, as for the conditions of the kubelet.
const HEARTBEAT: Duration = Duration::from_secs(300);

/// The shortest time from one write to the next. What follows [`TableState::Starting`] does not wait.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// The time from a write that has failed to the next one.
const RETRY: Duration = Duration::from_secs(30);

/// The longest message, in characters.
const LONGEST_MESSAGE: usize = 240;

/// How the kernel's table is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum TableState {
    /// It has not been as wanted yet.
    #[default]
    Starting,
    /// It was as wanted, and is kept.
    Kept,
    /// It cannot be kept, for this reason.
    Failing(String),
    /// Nobody keeps it any more.
    Stopped,
}

impl TableState {
    /// Returns the state after an event of the controller, if it changes.
    pub(super) fn after(&self, event: &Event) -> Option<Self> {
        match (self, event) {
            (_, Event::BackingOff { error, .. }) => Some(Self::failing(&error.to_string())),
            (Self::Failing(_), Event::Recovered) => Some(Self::Starting),
            _ => None,
        }
    }

    fn failing(error: &str) -> Self {
        let printable = |it: char| if it.is_control() { ' ' } else { it };
        Self::Failing(error.chars().take(LONGEST_MESSAGE).map(printable).collect())
    }

    /// Returns why the table is not as wanted, or `None` if it is.
    pub(crate) fn trouble(&self) -> Option<&str> {
        match self {
            Self::Kept => None,
            Self::Starting => Some("the table is not as the cluster wants it yet"),
            Self::Failing(error) => Some(error),
            Self::Stopped => Some("node-proxy has ended, and the table stays"),
        }
    }

    const fn status(&self) -> &'static str {
        match self {
            Self::Starting | Self::Stopped => "Unknown",
            Self::Kept => "True",
            Self::Failing(_) => "False",
        }
    }

    fn condition(&self, now: Timestamp, since: Timestamp) -> Value {
        let reason = match self {
            Self::Starting => "Synchronizing",
            Self::Kept => "Kept",
            Self::Failing(_) => "KernelRefuses",
            Self::Stopped => "Stopped",
        };
        let message = self.trouble().unwrap_or("the table is kept as the cluster wants it");
        json!({
            "type": "IpvsTableReady",
            "status": self.status(),
            "reason": reason,
            "message": message,
            "lastHeartbeatTime": format!("{now:.0}"),
            "lastTransitionTime": format!("{since:.0}"),
        })
    }
}

/// Decides when the condition is written.
#[derive(Debug, Default)]
pub(super) struct Writes {
    /// What was written last, and when.
    last: Option<(TableState, Instant)>,
    /// Whether the last write has failed.
    failed: bool,
    /// Since when the condition has its status.
    since: Option<(&'static str, Timestamp)>,
}

impl Writes {
    /// Returns how long the next write waits while the state is this one.
    pub(super) fn pause(&self, state: &TableState, now: Instant) -> Duration {
        let Some((written, at)) = &self.last else { return Duration::ZERO };
        let pause = match (state == written, self.failed) {
            // The end does not wait.
            (false, _) if *state == TableState::Stopped => Duration::ZERO,
            (false, false) if *written == TableState::Starting => Duration::ZERO,
            (false, false) => SHORTEST_PAUSE,
            (true, false) => HEARTBEAT,
            (_, true) => RETRY,
        };
        (*at + pause).saturating_duration_since(now)
    }

    /// Returns the patch that writes this state now.
    pub(super) fn write(&mut self, state: &TableState, now: Instant, time: Timestamp) -> Value {
        let status = state.status();
        let since = self.since.filter(|(before, _)| *before == status);
        let (_, since) = *self.since.insert(since.unwrap_or((status, time)));
        self.last = Some((state.clone(), now));
        self.failed = false;
        // Conditions are merged by their types, so those of others stay.
        json!({"status": {"conditions": [state.condition(time, since)]}})
    }

    /// Takes in that the last write has failed.
    pub(super) fn fail(&mut self) {
        self.failed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(patch: &Value, field: &str) -> String {
        patch["status"]["conditions"][0][field].as_str().unwrap().to_owned()
    }

    #[test]
    fn a_condition_says_how_the_table_is() {
        for (state, status, reason) in [
            (TableState::Starting, "Unknown", "Synchronizing"),
            (TableState::Kept, "True", "Kept"),
            (TableState::failing("no module"), "False", "KernelRefuses"),
            (TableState::Stopped, "Unknown", "Stopped"),
        ] {
            let patch = Writes::default().write(&state, Instant::now(), Timestamp::UNIX_EPOCH);
            assert_eq!(
                (text(&patch, "status"), text(&patch, "reason")),
                (status.into(), reason.into())
            );
            assert_eq!(text(&patch, "lastHeartbeatTime"), "1970-01-01T00:00:00Z");
        }
        let hostile = TableState::failing(&"\u{1b}[2J".repeat(1000));
        let patch = Writes::default().write(&hostile, Instant::now(), Timestamp::UNIX_EPOCH);
        let message = text(&patch, "message");
        assert!(message.len() <= LONGEST_MESSAGE && !message.contains(char::is_control));
    }

    /// A table that is right again after a failure counts as kept once it has been read.
    #[test]
    fn a_failure_ends_with_a_reading() {
        assert_eq!(TableState::Kept.after(&Event::Recovered), None);
        let failing = TableState::failing("no module");
        assert_eq!(failing.after(&Event::Recovered), Some(TableState::Starting));
    }

    #[test]
    fn a_heartbeat_keeps_the_time_of_the_transition() {
        let (mut writes, begin) = (Writes::default(), Instant::now());
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        writes.write(&TableState::Kept, begin, time(0));
        let beat = writes.write(&TableState::Kept, begin, time(300));
        assert_eq!(text(&beat, "lastHeartbeatTime"), "1970-01-01T00:05:00Z");
        assert_eq!(text(&beat, "lastTransitionTime"), "1970-01-01T00:00:00Z");
        let failing = writes.write(&TableState::failing("no"), begin, time(310));
        assert_eq!(text(&failing, "lastTransitionTime"), "1970-01-01T00:05:10Z");
    }

    #[test]
    fn writes_are_not_too_many_and_not_too_few() {
        let (mut writes, begin) = (Writes::default(), Instant::now());
        let second = Duration::from_secs(1);
        assert_eq!(writes.pause(&TableState::Starting, begin), Duration::ZERO);
        writes.write(&TableState::Starting, begin, Timestamp::UNIX_EPOCH);
        let later = begin + second;
        assert_eq!(writes.pause(&TableState::Starting, later), HEARTBEAT - second);
        assert_eq!(writes.pause(&TableState::Kept, later), Duration::ZERO);
        writes.write(&TableState::Kept, begin, Timestamp::UNIX_EPOCH);
        let failing = TableState::failing("no module");
        assert_eq!(writes.pause(&failing, later), SHORTEST_PAUSE - second);
        assert_eq!(writes.pause(&TableState::Stopped, later), Duration::ZERO);
        writes.fail();
        assert_eq!(writes.pause(&TableState::Kept, later), RETRY - second);
        assert_eq!(writes.pause(&failing, begin + RETRY), Duration::ZERO);
        assert_eq!(writes.pause(&TableState::Stopped, later), Duration::ZERO);
    }
}
