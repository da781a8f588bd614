//! What happens, as a value: for the log and for clients that follow events.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use ipvs_netlink::{DestinationId, ServiceId};
use serde::{Deserialize, Serialize};

use crate::moment;

/// Something that has happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    #[serde(with = "moment::serde_text")]
    pub time: SystemTime,
    /// How bad it is.
    pub severity: Severity,
    /// What, in a word that never changes, such as `down`.
    pub kind: Cow<'static, str>,
    /// The service; `None` for what concerns all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<ServiceId>,
    /// The destination; `None` for what concerns all of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<DestinationId>,
    /// What and why, in one line without control characters, for people.
    pub text: String,
}

/// How bad an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A detail that only a search for a fault needs.
    Detail,
    /// A change that is well.
    Note,
    /// Something does not work as it should.
    Warning,
    /// The daemon cannot do its work.
    Error,
}

impl Event {
    /// Creates an event that concerns all.
    #[must_use]
    pub fn new(time: SystemTime, severity: Severity, kind: &'static str, text: &str) -> Self {
        let (service, destination) = (None, None);
        let kind = Cow::Borrowed(kind);
        Self { time, severity, kind, service, destination, text: one_line(text) }
    }

    /// Names the service.
    #[must_use]
    pub const fn of(mut self, service: ServiceId) -> Self {
        self.service = Some(service);
        self
    }

    /// Names the destination.
    #[must_use]
    pub const fn at(mut self, destination: DestinationId) -> Self {
        self.destination = Some(destination);
        self
    }
}

impl fmt::Display for Event {
    /// Prints `2026-11-28T15:03:04.123Z down TCP 192.0.2.10:80 10.0.0.2:8080 connection refused`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", moment::text(self.time), self.kind)?;
        if let Some(service) = &self.service {
            write!(f, " {service}")?;
        }
        if let Some(destination) = &self.destination {
            write!(f, " {destination}")?;
        }
        write!(f, " {}", self.text)
    }
}

/// The most bytes of a text that came from elsewhere.
const LONGEST: usize = 1024;

/// Makes one line of a text that may come from a server: control characters and what turns the
/// direction of writing are escaped, and the end of a long one is cut off.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LONGEST));
    for character in text.chars() {
        if line.len() >= LONGEST {
            line.push('…');
            break;
        }
        match character {
            '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                line.extend(character.escape_unicode());
            }
            _ if character.is_control() => line.extend(character.escape_default()),
            _ => line.push(character),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_cannot_move_the_cursor() {
        assert_eq!(
            one_line("a\x1b[2Jb\r\nc\u{9b}\u{202e}é"),
            "a\\u{1b}[2Jb\\r\\nc\\u{9b}\\u{202e}é"
        );
        assert!(one_line(&"x".repeat(5000)).len() <= LONGEST + '…'.len_utf8());
    }

    #[test]
    fn an_event_is_read_as_written() {
        let time = SystemTime::UNIX_EPOCH + std::time::Duration::from_millis(1_795_000_000_123);
        let service = "TCP 192.0.2.10:80".parse().unwrap();
        let event = Event::new(time, Severity::Warning, "down", "no\nanswer").of(service);
        let text = serde_json::to_string(&event).unwrap();
        let expected = r#"{"time":"2026-11-18T11:06:40.123Z","severity":"warning","kind":"down","service":"TCP 192.0.2.10:80","text":"no\\nanswer"}"#;
        assert_eq!(text, expected);
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), event);
        assert_eq!(
            event.to_string(),
            "2026-11-18T11:06:40.123Z down TCP 192.0.2.10:80 no\\nanswer"
        );
    }
}
