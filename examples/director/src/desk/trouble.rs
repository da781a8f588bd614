//! What is wrong for longer than a moment.

use ipvs_netlink::ServiceId;

use crate::desk::Desk;
use crate::event::{Event, Severity};
use crate::moment::Moment;

/// What a trouble is about. A newer one takes the place of the older.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// The kernel, or the privilege.
    Kernel,
    /// The timeouts, the settings or the synchronization daemons.
    Settings,
    /// The last reload.
    Reload,
    /// The state file, as it was found at the start.
    StateFound,
    /// The state file, as it is to be written.
    State,
    /// The thread of the checks.
    Checks,
    /// The thread of metrics.
    Metrics,
    /// The control socket.
    Socket,
    /// What the table is to have of one service.
    Service(ServiceId),
    /// The checks of one service.
    ChecksOf(ServiceId),
}

impl Trouble {
    fn of(self, event: Event) -> Event {
        match self {
            Self::Service(service) | Self::ChecksOf(service) => event.of(service),
            _ => event,
        }
    }
}

impl Desk {
    /// Notes a trouble, or with `None` that it is over. Tells it if it is news.
    pub fn trouble(&mut self, about: Trouble, text: Option<String>, now: Moment) {
        match text {
            Some(text) if self.troubles.get(&about) == Some(&text) => {}
            Some(text) => {
                let event = Event::new(now.wall, Severity::Error, "trouble", &text);
                self.tell(about.of(event));
                self.troubles.insert(about, text);
            }
            None => {
                if let Some(text) = self.troubles.remove(&about) {
                    let text = format!("over: {text}");
                    let event = Event::new(now.wall, Severity::Note, "trouble-over", &text);
                    self.tell(about.of(event));
                }
            }
        }
    }
}
