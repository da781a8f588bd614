//! Command lines taken apart, with all spellings that the original takes: options in
//! groups (`-Ln`), values in the same word or in the next (`-t1.2.3.4:80`, `-t=...`,
//! `--tcp-service=...`), arguments anywhere, `--` before what is none.

use std::collections::VecDeque;

use ipvs_netlink::Protocol;

use crate::failure::Failure;

/// What an option means to lists. `Other` ones belong to commands that edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    List,
    Save,
    Restore,
    Help,
    Version,
    /// Another command.
    Command,
    Numeric,
    Connection,
    Service(Protocol),
    Fwmark,
    Ipv6,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    TunInfo,
    NoSort,
    Sort,
    Exact,
    Other,
}

impl Meaning {
    pub(crate) fn is_command(self) -> bool {
        use Meaning::{Command, Help, List, Restore, Save, Version};
        matches!(self, List | Save | Restore | Help | Version | Command)
    }
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug)]
enum Value {
    No,
    Yes,
    /// Only a word that does not look like an option.
    Maybe,
}

type Row = (&'static str, Option<char>, Value, Meaning);

const OPTIONS: &[Row] = {
    use Meaning::*;
    use Value::{Maybe, No, Yes};
    &[
        ("list", Some('L'), No, List),
        ("list", Some('l'), No, List),
        ("save", Some('S'), No, Save),
        ("restore", Some('R'), No, Restore),
        ("help", Some('h'), No, Help),
        ("version", Some('v'), No, Version),
        ("add-service", Some('A'), No, Command),
        ("edit-service", Some('E'), No, Command),
        ("delete-service", Some('D'), No, Command),
        ("clear", Some('C'), No, Command),
        ("zero", Some('Z'), No, Command),
        ("add-server", Some('a'), No, Command),
        ("edit-server", Some('e'), No, Command),
        ("delete-server", Some('d'), No, Command),
        ("set", None, No, Command),
        ("start-daemon", None, Yes, Command),
        ("stop-daemon", None, Yes, Command),
        ("tcp-service", Some('t'), Yes, Service(Protocol::TCP)),
        ("udp-service", Some('u'), Yes, Service(Protocol::UDP)),
        ("sctp-service", None, Yes, Service(Protocol::SCTP)),
        ("fwmark-service", Some('f'), Yes, Fwmark),
        ("ipv6", Some('6'), No, Ipv6),
        ("numeric", Some('n'), No, Numeric),
        ("connection", Some('c'), No, Connection),
        ("timeout", None, No, Timeout),
        ("daemon", None, No, Daemon),
        ("stats", None, No, Stats),
        ("rate", None, No, Rate),
        ("thresholds", None, No, Thresholds),
        ("persistent-conn", None, No, PersistentConn),
        ("tun-info", None, No, TunInfo),
        ("nosort", None, No, NoSort),
        ("sort", None, No, Sort),
        ("exact", Some('X'), No, Exact),
        ("scheduler", Some('s'), Yes, Other),
        ("persistent", Some('p'), Maybe, Other),
        ("netmask", Some('M'), Yes, Other),
        ("pe", None, Yes, Other),
        ("sched-flags", Some('b'), Yes, Other),
        ("ops", Some('o'), No, Other),
        ("real-server", Some('r'), Yes, Other),
        ("gatewaying", Some('g'), No, Other),
        ("ipip", Some('i'), No, Other),
        ("masquerading", Some('m'), No, Other),
        ("tun-type", None, Yes, Other),
        ("tun-port", None, Yes, Other),
        ("tun-nocsum", None, No, Other),
        ("tun-csum", None, No, Other),
        ("tun-remcsum", None, No, Other),
        ("weight", Some('w'), Yes, Other),
        ("u-threshold", Some('x'), Yes, Other),
        ("l-threshold", Some('y'), Yes, Other),
        ("mcast-interface", None, Yes, Other),
        ("syncid", None, Yes, Other),
        ("sync-maxlen", None, Yes, Other),
        ("mcast-group", None, Yes, Other),
        ("mcast-port", None, Yes, Other),
        ("mcast-ttl", None, Yes, Other),
    ]
};

/// A piece of a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// An option as it was spelled, and its value.
    Option { meaning: Meaning, spelling: String, value: Option<String> },
    /// A word that is no option.
    Argument(String),
}

/// A command line, of which the first option is the command.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) command: Meaning,
    /// What comes after it.
    pub(crate) rest: Pieces,
    /// What came before it, though nothing should.
    pub(crate) argument: Option<String>,
}

impl Line {
    pub(crate) fn of(words: &[String]) -> Result<Self, Failure> {
        let mut rest = Pieces::of(words);
        let mut argument = None;
        loop {
            match rest.next() {
                Some(Ok(Piece::Option { meaning: command, .. })) if command.is_command() => {
                    return Ok(Self { command, rest, argument });
                }
                Some(Ok(Piece::Argument(word))) => argument = Some(word),
                Some(Err(failure)) => return Err(failure),
                _ => return Err(Failure::syntax("no command; -h tells which there are")),
            }
        }
    }
}

/// The pieces of a command line, one after the other.
#[derive(Debug)]
pub(crate) struct Pieces {
    words: VecDeque<String>,
    /// What is left of a group of short options.
    group: VecDeque<char>,
    /// After `--`.
    ended: bool,
}

impl Pieces {
    pub(crate) fn of(words: &[String]) -> Self {
        Self { words: words.iter().cloned().collect(), group: VecDeque::new(), ended: false }
    }

    fn long(&mut self, word: &str) -> Result<Piece, Failure> {
        let (name, given) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word, None),
        };
        let spelling = format!("--{name}");
        let (_, _, takes, meaning) = OPTIONS
            .iter()
            .find(|(long, ..)| *long == name)
            .ok_or_else(|| Failure::syntax(format!("{spelling:?}: unknown option")))?;
        if given.is_some() && matches!(takes, Value::No) {
            return Err(Failure::syntax(format!("{spelling}: option takes no value")));
        }
        let value = self.value(*takes, given, &spelling)?;
        Ok(Piece::Option { meaning: *meaning, spelling, value })
    }

    fn short(&mut self, letter: char) -> Result<Piece, Failure> {
        let spelling = format!("-{letter}");
        let (_, _, takes, meaning) =
            OPTIONS
                .iter()
                .find(|(_, short, ..)| *short == Some(letter))
                .ok_or_else(|| Failure::syntax(format!("{spelling:?}: unknown option")))?;
        let mut given = None;
        if !matches!(takes, Value::No) && !self.group.is_empty() {
            let rest: String = self.group.drain(..).collect();
            given = Some(rest.strip_prefix('=').unwrap_or(&rest).to_owned());
        }
        let value = self.value(*takes, given, &spelling)?;
        Ok(Piece::Option { meaning: *meaning, spelling, value })
    }

    fn value(
        &mut self,
        takes: Value,
        given: Option<String>,
        spelling: &str,
    ) -> Result<Option<String>, Failure> {
        let is_option = self.words.front().is_none_or(|word| word.starts_with('-'));
        match takes {
            Value::No => Ok(None),
            Value::Maybe if given.is_none() && is_option => Ok(None),
            Value::Yes | Value::Maybe => match given.or_else(|| self.words.pop_front()) {
                Some(value) => Ok(Some(value)),
                None => Err(Failure::syntax(format!("{spelling}: missing value"))),
            },
        }
    }
}

impl Iterator for Pieces {
    type Item = Result<Piece, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(letter) = self.group.pop_front() {
            return Some(self.short(letter));
        }
        let word = self.words.pop_front()?;
        if self.ended {
            return Some(Ok(Piece::Argument(word)));
        }
        if word == "--" {
            self.ended = true;
            return self.next();
        }
        if let Some(long) = word.strip_prefix("--") {
            return Some(self.long(long));
        }
        match word.strip_prefix('-') {
            Some(letters) if !letters.is_empty() => {
                self.group = letters.chars().collect();
                self.next()
            }
            _ => Some(Ok(Piece::Argument(word))),
        }
    }
}
