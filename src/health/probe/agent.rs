use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::health::Outcome;
use crate::health::Share;
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::{Origin, ours, tcp};

/// The longest line of an agent, in bytes.
const LONGEST_LINE: usize = 4096;

/// A question to an agent: a small server beside the real one that says how much the host can take.
///
/// The agent's answer is a line as for HAProxy's `agent-check`: words with spaces, tabs or commas
/// between them, and after `#` a text for people. The check reads 4 KiB at most, up to the end of the
/// line or of the connection.
///
/// | word | what it means |
/// | --- | --- |
/// | `75%` | The check passes, and the destination is to have this part of its weight, [100 %](Self::most) at most. |
/// | `up`, `ready` | The check passes. |
/// | `drain` | The check passes, and the destination is to have the weight 0. |
/// | `down`, `fail`, `failed`, `stopped`, `maint` | The check fails, whatever else the line says. |
/// | `maxconn:50` | Nothing: thresholds are settings of a destination. |
/// | another | The check fails. |
///
/// The agent answers for the host. Add a check of the server itself, and let
/// [all](crate::health::Combination::All) pass: then no agent's `up` brings back a server that is
/// dead.
///
/// ```
/// use ipvs_netlink::health::probe::{AgentCheck, Probe};
///
/// let agent = Probe::agent(AgentCheck::new()).port(9777);
/// assert_eq!(agent.port, Some(9777));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
#[must_use]
pub struct AgentCheck {
    /// What is sent to the agent, nothing by default.
    pub send: Vec<u8>,
    /// The largest share that the agent can ask for, [`Share::FULL`] by default.
    pub most: Share,
}

impl AgentCheck {
    /// Creates a check that only listens.
    pub const fn new() -> Self {
        Self { send: Vec::new(), most: Share::FULL }
    }

    /// Sets what is sent to the agent.
    pub fn send(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.send = bytes.into();
        self
    }

    /// Sets the largest share that the agent can ask for, 100 % by default. One that asks for more
    /// gets this. Who has the agent could otherwise draw the clients of all others to its host.
    pub const fn most(mut self, share: Share) -> Self {
        self.most = share;
        self
    }

    /// Asks the agent at `target`.
    pub(super) async fn run(&self, target: SocketAddr, origin: &Origin) -> Outcome {
        match self.ask(target, origin).await {
            Ok(line) => match judge(&line) {
                Outcome::Passed(share) => Outcome::Passed(share.min(self.most)),
                outcome => outcome,
            },
            Err(error) => ours::outcome(&error, format!("agent: {error}")),
        }
    }

    async fn ask(&self, target: SocketAddr, origin: &Origin) -> io::Result<Vec<u8>> {
        let mut stream = tcp::connect(target, origin).await?;
        stream.write_all(&self.send).await?;
        let mut line = Vec::new();
        let mut part = [0; 256];
        while line.len() < LONGEST_LINE {
            let length = stream.read(&mut part).await?;
            let read = part.get(..length).unwrap_or_default();
            let end = read.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
            line.extend(read.iter().take(end.unwrap_or(length)));
            if length == 0 || end.is_some() {
                return Ok(line);
            }
        }
        Err(io::Error::other("4 KiB without the end of a line"))
    }
}

/// Says what a line means.
pub(super) fn judge(line: &[u8]) -> Outcome {
    let words = line.split(|byte| *byte == b'#').next().unwrap_or_default();
    let words = words.split(|byte| byte.is_ascii_whitespace() || *byte == b',');
    let (mut share, mut drains, mut says_something) = (Share::FULL, false, false);
    for word in words.filter(|word| !word.is_empty()) {
        says_something = true;
        match word {
            b"up" | b"ready" => {}
            b"drain" => drains = true,
            b"down" | b"fail" | b"failed" | b"stopped" | b"maint" => {
                return Outcome::failed(format!("the agent says {}", Excerpt(line)));
            }
            _ if word.starts_with(b"maxconn:") => {}
            _ => match percentage(word) {
                Some(percentage) => share = percentage,
                None => {
                    let (word, line) = (Excerpt(word), Excerpt(line));
                    return Outcome::failed(format!("the agent's word {word} in {line}"));
                }
            },
        }
    }
    match (says_something, drains) {
        (false, _) => Outcome::failed("the agent says nothing"),
        (true, true) => Outcome::Passed(Share::percent(0)),
        (true, false) => Outcome::Passed(share),
    }
}

/// Returns what comes before the end of the first line.
pub(super) fn first_line(said: &[u8]) -> &[u8] {
    said.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default()
}

fn percentage(word: &[u8]) -> Option<Share> {
    let digits = word.strip_suffix(b"%")?;
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(digits).ok().filter(|_| plain)?;
    number.parse().ok().map(Share::percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_means_what_it_means_to_haproxy() {
        let share = |line: &str| match judge(line.as_bytes()) {
            Outcome::Passed(share) => Some(share.as_percent()),
            _ => None,
        };
        for (line, expected) in [
            ("75%", Some(75)),
            ("up 75%", Some(75)),
            ("ready,\t150%", Some(150)),
            ("up", Some(100)),
            ("up maxconn:30 # all is well: down soon", Some(100)),
            ("drain 50%", Some(0)),
            ("0%", Some(0)),
            ("down", None),
            ("up 75% down", None),
            ("maint#until noon", None),
            ("", None),
            ("  # nothing", None),
            ("%", None),
            ("+5%", None),
            ("70000%", None),
            ("UP", None),
            ("HTTP/1.1 200 OK", None),
        ] {
            assert_eq!(share(line), expected, "{line}");
        }
        let reason = |line: &[u8]| match judge(line) {
            Outcome::Failed(reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(b"down#disk \x1b full"), r#"the agent says "down#disk \u{1b} full""#);
        assert_eq!(reason(b"up \xff"), "the agent's word \"\u{fffd}\" in \"up \u{fffd}\"");
    }
}
