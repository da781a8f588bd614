use serde::Deserialize;

use super::status::{Written, bounded};
use crate::state::director::Status;

/// The version of the protocol that this program speaks.
pub(crate) const VERSION: u64 = 1;

/// An answer of the director.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The state.
    Status(Status),
    /// The order is carried out, as the lines say.
    Done(Vec<String>),
    /// The order is refused, and nothing has changed.
    Refused(Vec<String>),
    /// The director's server refuses the request.
    Error {
        /// The name of the error.
        name: String,
        /// The error, for people.
        text: String,
    },
    /// An answer of a kind that this program does not know.
    Other,
}

/// Why a line of the director cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It is no JSON, or misses a key.
    #[error("the director's answer is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The director speaks another version.
    #[error("the director speaks version {0} of its protocol, and this program version {VERSION}")]
    Version(u64),
}

#[derive(Deserialize)]
struct Head {
    version: u64,
    answer: String,
}

#[derive(Deserialize)]
struct OfStatus {
    status: Written,
}

#[derive(Deserialize)]
struct OfOrder {
    #[serde(default)]
    lines: Vec<String>,
    #[serde(default)]
    not_saved: Option<String>,
}

#[derive(Deserialize)]
struct OfError {
    error: String,
    #[serde(default)]
    text: String,
}

impl Answer {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// The line is no JSON object with the keys of its kind, or is one of another version.
    pub fn of_line(line: &[u8]) -> Result<Self, AnswerError> {
        let head: Head = serde_json::from_slice(line)?;
        if head.version != VERSION {
            return Err(AnswerError::Version(head.version));
        }
        Ok(match head.answer.as_str() {
            "status" => Self::Status(serde_json::from_slice::<OfStatus>(line)?.status.into()),
            "done" => {
                let OfOrder { mut lines, not_saved } = serde_json::from_slice(line)?;
                let warn = |why| format!("a restart of the director forgets this: {why}");
                lines.extend(not_saved.map(warn));
                Self::Done(few(lines))
            }
            "refused" => Self::Refused(few(serde_json::from_slice::<OfOrder>(line)?.lines)),
            "error" => {
                let OfError { error, text } = serde_json::from_slice(line)?;
                Self::Error { name: bounded(error), text: bounded(text) }
            }
            _ => Self::Other,
        })
    }
}

/// As many lines as anybody reads.
fn few(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().take(20).map(bounded).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::state::director::{DestinationState, Kind};

    /// The JSON blocks of the director's protocol.
    fn documented() -> impl Iterator<Item = String> {
        let protocol = include_str!("../../../../director/PROTOCOL.md");
        let blocks = protocol.split("```json\n").skip(1);
        blocks.map(|block| block.split("```").next().unwrap().to_owned())
    }

    #[test]
    fn the_documented_state_is_read() {
        let block = documented().find(|it| it.contains(r#""answer":"status""#)).unwrap();
        let line = block.replace('\n', " ");
        let Ok(Answer::Status(status)) = Answer::of_line(line.as_bytes()) else { panic!("{line}") };
        let web = &status.services[&"TCP 192.0.2.10:80".parse().unwrap()];
        assert!(web.available);
        let [first, second] = web.destinations().collect::<Vec<_>>()[..] else { panic!() };
        assert_eq!((first.state, first.weight), (DestinationState::Drained, 10));
        let maintenance = first.maintenance.as_ref().unwrap();
        assert_eq!((maintenance.kind, maintenance.by.as_str()), (Kind::Drain, "alice"));
        assert!(maintenance.until > first.since);
        assert_eq!(second.state, DestinationState::Down);
        assert_eq!(second.reason, "3 of 3 failed, connection refused");
    }

    #[test]
    fn the_documented_answers_are_read() {
        let block = documented().find(|it| it.contains(r#""answer":"refused""#)).unwrap();
        let answers: Vec<_> =
            block.lines().map(|line| Answer::of_line(line.as_bytes()).unwrap()).collect();
        assert!(matches!(&answers[0], Answer::Done(lines) if lines.len() == 1));
        assert!(matches!(&answers[1], Answer::Done(lines) if lines[1].contains("No space left")));
        assert!(matches!(&answers[2], Answer::Refused(lines) if lines.len() == 1));
        assert!(matches!(&answers[3], Answer::Error { name, .. } if name == "unknown-version"));
        assert!(answers[4..].iter().all(|it| *it == Answer::Other));
    }

    #[test]
    fn another_version_is_an_error() {
        let error = Answer::of_line(br#"{"version":2,"answer":"done"}"#).unwrap_err();
        assert!(matches!(error, AnswerError::Version(2)));
    }

    #[test]
    fn long_texts_are_cut() {
        let long = "ä".repeat(100_000);
        let line = serde_json::json!({"version": 1, "answer": "status", "status": {
            "troubles": vec![&long; 200],
            "services": [{"service": "TCP 192.0.2.10:80", "available": true, "reason": long,
                "destinations": [{"destination": "10.0.0.2:80", "state": "out", "weight": 1,
                    "reason": long, "maintenance": {"kind": "out", "by": long}}]}],
        }});
        let Ok(Answer::Status(status)) = Answer::of_line(line.to_string().as_bytes()) else {
            panic!()
        };
        let web = status.services.values().next().unwrap();
        let first = web.destinations().next().unwrap();
        assert_eq!(status.troubles.len(), 100);
        let by = &first.maintenance.as_ref().unwrap().by;
        for text in [&status.troubles[0], &web.reason, &first.reason, by] {
            assert_eq!(text.chars().count(), 300);
        }
        let line = serde_json::json!({"version": 1, "answer": "refused", "lines": [long]});
        let Ok(Answer::Refused(lines)) = Answer::of_line(line.to_string().as_bytes()) else {
            panic!()
        };
        assert_eq!(lines[0].chars().count(), 300);
    }

    #[test]
    fn what_is_new_is_ignored() {
        let line = br#"{"version":1,"answer":"status","status":{"new":1,"services":[
            {"service":"TCP 192.0.2.10:80","available":true,"destinations":[
                {"destination":"10.0.0.2:80","state":"sleeping","weight":1}]},
            {"service":"QUIC everywhere","available":true,"destinations":[]}]}}"#;
        let Ok(Answer::Status(status)) = Answer::of_line(line) else { panic!() };
        assert_eq!(status.services.len(), 1);
        let web = status.services.values().next().unwrap();
        assert_eq!(web.destinations().next().unwrap().state, DestinationState::Unknown);
    }

    proptest! {
        #[test]
        fn no_line_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Answer::of_line(&bytes);
        }

        #[test]
        fn no_damage_panics(at: prop::sample::Index, byte: u8) {
            let block = documented().find(|it| it.contains(r#""answer":"status""#)).unwrap();
            let mut line = block.into_bytes();
            let at = at.index(line.len());
            line[at] = byte;
            let _ = Answer::of_line(&line);
        }
    }
}
