//! A response: one line of JSON. `PROTOCOL.md` documents the shapes.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::problem::Problem;
use crate::control::protocol::{Answer, VERSION};
use crate::control::request::ORDERS;
use crate::event::Event;
use crate::status::Status;

/// A line from the daemon, as its server writes it.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Response<'a> {
    /// The state.
    Status {
        /// The state.
        status: &'a Status,
    },
    /// The order is carried out.
    Done {
        /// What was done.
        lines: &'a [String],
        /// Why a restart forgets it.
        #[serde(skip_serializing_if = "Option::is_none")]
        not_saved: Option<&'a str>,
    },
    /// The order is refused by the daemon, and nothing has changed.
    Refused {
        /// Why.
        lines: &'a [String],
    },
    /// The request is refused by the socket's server.
    Error {
        /// The name of the problem.
        error: &'static str,
        /// Why, for people.
        text: &'a str,
        /// The versions that the server speaks.
        #[serde(skip_serializing_if = "<[u32]>::is_empty")]
        versions: &'a [u32],
        /// The orders that the server knows.
        #[serde(skip_serializing_if = "<[&str]>::is_empty")]
        orders: &'a [&'a str],
    },
    /// Something has happened.
    Event {
        /// What.
        event: &'a Event,
    },
    /// The client reads too slowly, and has lost events.
    Lost {
        /// The number of events.
        events: u64,
    },
}

#[derive(Serialize)]
struct Line<'a> {
    version: u32,
    #[serde(flatten)]
    response: Response<'a>,
}

impl Response<'_> {
    /// Appends the line, with its end.
    pub fn write(self, line: &mut Vec<u8>) {
        // Only numbers and texts, which cannot fail.
        serde_json::to_writer(&mut *line, &Line { version: VERSION, response: self }).ok();
        line.push(b'\n');
    }

    /// Appends the line for an answer of the daemon.
    pub fn write_answer(answer: &Answer, line: &mut Vec<u8>) {
        match answer {
            Answer::Status(status) => Response::Status { status }.write(line),
            Answer::Done { lines, not_saved } => {
                Response::Done { lines, not_saved: not_saved.as_deref() }.write(line);
            }
            Answer::Refused(lines) => Response::Refused { lines }.write(line),
        }
    }

    /// Appends the line for a problem.
    pub fn write_problem(problem: &Problem, line: &mut Vec<u8>) {
        let versions: &[u32] = match problem {
            Problem::UnknownVersion(_) => &[VERSION],
            _ => &[],
        };
        let orders: &[&str] = match problem {
            Problem::UnknownOrder(_) => &ORDERS,
            _ => &[],
        };
        let (error, text) = (problem.name(), &problem.to_string());
        Response::Error { error, text, versions, orders }.write(line);
    }
}

/// A line from the daemon, as clients read it. Keys that are not known are ignored.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "answer", rename_all = "kebab-case")]
pub enum Received {
    /// The state, as it came: `director status --json` prints also what this program does not know.
    Status {
        /// The state.
        status: Value,
    },
    /// The order is carried out.
    Done {
        /// What was done.
        #[serde(default)]
        lines: Vec<String>,
        /// Why a restart forgets it.
        #[serde(default)]
        not_saved: Option<String>,
    },
    /// The order is refused, and nothing has changed.
    Refused {
        /// Why.
        #[serde(default)]
        lines: Vec<String>,
    },
    /// The request is refused.
    Error {
        /// The name of the problem.
        error: String,
        /// Why, for people.
        #[serde(default)]
        text: String,
    },
    /// Something has happened.
    Event {
        /// What, as it came.
        event: Value,
    },
    /// Events were lost.
    Lost {
        /// The number of events.
        events: u64,
    },
    /// A line of a kind that this program does not know.
    #[serde(other)]
    Other,
}
