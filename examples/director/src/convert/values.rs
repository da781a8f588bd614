//! The arguments of statements.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::convert::blocks::Statement;
use crate::convert::unsaid::{Fate, Remarks};

/// The longest time that the converted file says.
pub(super) const LONGEST: Duration = Duration::from_secs(365 * 86_400);

impl Statement {
    pub(super) fn tell(&self, fate: Fate, reason: impl Into<String>, remarks: &mut Remarks) {
        remarks.add(&self.place, self.keyword(), fate, reason);
    }

    /// Tells that the statement is left out because it is wrong.
    pub(super) fn refuse(&self, expected: &str, remarks: &mut Remarks) {
        let given = self.arguments().join(" ");
        let reason = match given.is_empty() {
            true => format!("{expected} is missing"),
            false => format!("{given:?} is not {expected}"),
        };
        self.tell(Fate::LeftOut, reason, remarks);
    }

    /// Tells that nobody knows the keyword, unless it is a condition.
    pub(super) fn unknown(&self, remarks: &mut Remarks) {
        let keyword = self.keyword();
        let mut reason = match keyword.strip_prefix('@') {
            Some(_) => "nobody says which lines count: give the id with --config-id".to_owned(),
            None => "the keyword is not known here".to_owned(),
        };
        if !self.inside().is_empty() {
            reason.push_str("; its block is left out, too");
        }
        // A condition says little without what it is about.
        let keyword = if keyword.starts_with('@') { &self.text } else { keyword };
        remarks.add(&self.place, keyword, Fate::LeftOut, reason);
    }

    /// Returns `true`, and tells, if the statement has a block and should have none.
    pub(super) fn has_wrong_block(&self, with_blocks: &[&str], remarks: &mut Remarks) -> bool {
        let keyword = self.keyword();
        let wrong = !keyword.starts_with('@')
            && self.block.as_ref().is_some_and(|block| !block.is_empty())
            && !with_blocks.contains(&keyword);
        if wrong {
            self.tell(Fate::LeftOut, "it has a block here, which nobody knows", remarks);
        }
        wrong
    }

    /// Returns the only argument.
    pub(super) fn one(&self, expected: &str, remarks: &mut Remarks) -> Option<&str> {
        match self.arguments() {
            [] => {
                self.refuse(expected, remarks);
                None
            }
            [one] => Some(one),
            [one, further @ ..] => {
                let reason = format!("{:?} after its first word is ignored", further.join(" "));
                self.tell(Fate::NotNeeded, reason, remarks);
                Some(one)
            }
        }
    }

    pub(super) fn number(&self, range: RangeInclusive<u32>, remarks: &mut Remarks) -> Option<u32> {
        let expected = format!("a number from {} to {}", range.start(), range.end());
        let number = number(self.one(&expected, remarks)?).filter(|it| range.contains(it));
        if number.is_none() {
            self.refuse(&expected, remarks);
        }
        number
    }

    /// Returns a time in milliseconds, rounded up.
    pub(super) fn time(&self, remarks: &mut Remarks) -> Option<Duration> {
        let expected = "a number of seconds";
        let Some(exact) = seconds(self.one(expected, remarks)?) else {
            self.refuse(expected, remarks);
            return None;
        };
        let milliseconds = exact.as_nanos().div_ceil(1_000_000);
        let rounded = Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX));
        let time = rounded.min(LONGEST);
        if time != exact {
            self.tell(Fate::Changed, format!("the time is {time:?} now"), remarks);
        }
        Some(time)
    }

    /// Returns a value that has to be given as one word.
    pub(super) fn parsed<T: FromStr>(&self, expected: &str, remarks: &mut Remarks) -> Option<T> {
        let value = self.one(expected, remarks)?.parse().ok();
        if value.is_none() {
            self.refuse(expected, remarks);
        }
        value
    }

    /// Returns a switch, which is on without an argument.
    pub(super) fn switch(&self, remarks: &mut Remarks) -> Option<bool> {
        match self.arguments() {
            [] => Some(true),
            _ => match self.one("on or off", remarks)? {
                "true" | "on" | "yes" => Some(true),
                "false" | "off" | "no" => Some(false),
                _ => {
                    self.refuse("on or off", remarks);
                    None
                }
            },
        }
    }

    /// Returns an address and perhaps a port. Port 0 stands for none.
    pub(super) fn address(
        &self,
        words: &[String],
        remarks: &mut Remarks,
    ) -> Option<(IpAddr, Option<u16>)> {
        let address = words.first().and_then(|word| word.parse::<IpAddr>().ok());
        let port = words.get(1).map(|word| number(word).and_then(|it| u16::try_from(it).ok()));
        match (address, port) {
            (Some(address), None) => Some((address, None)),
            (Some(address), Some(Some(port))) => {
                if let Some(further) = words.get(2..).filter(|further| !further.is_empty()) {
                    let reason = format!("{:?} after the port is ignored", further.join(" "));
                    self.tell(Fate::NotNeeded, reason, remarks);
                }
                Some((address, Some(port).filter(|port| *port != 0)))
            }
            _ => {
                self.refuse("an IP address, and a port from 1 to 65535 or none", remarks);
                None
            }
        }
    }
}

/// Reads a number without a sign.
pub(super) fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| plain)
}

/// Reads a number of seconds with at most nine decimals.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_plain(whole)
        || !is_plain(decimals)
        || decimals.len() > 9
        || text == "."
        || text.is_empty()
    {
        return None;
    }
    let whole = if whole.is_empty() { Some(0) } else { whole.parse().ok() }?;
    let nanoseconds = format!("{decimals:0<9}").parse().ok()?;
    Some(Duration::new(whole, nanoseconds))
}

/// Returns an address with a port as text for people.
pub(super) fn with_port(address: IpAddr, port: Option<u16>) -> String {
    match port {
        Some(port) => SocketAddr::new(address, port).to_string(),
        None => address.to_string(),
    }
}
