//! Checkers: what is checked of a real server.

mod connection;
mod dns;
mod http;
mod misc;
mod smtp;
mod udp;

use ipvs_netlink::health::probe::Probe;

use crate::convert::blocks::Statement;
use crate::convert::checkers::connection::Connection;
use crate::convert::real_server::{Check, RealServer, tell_alpha};
use crate::convert::settings::Slot;
use crate::convert::timing::{Defaults, Timers, Timing};
use crate::convert::unsaid::{Fate, Remarks};

const CHECKERS: [&str; 10] = [
    "TCP_CHECK",
    "HTTP_GET",
    "SSL_GET",
    "SMTP_CHECK",
    "DNS_CHECK",
    "MISC_CHECK",
    "UDP_CHECK",
    "PING_CHECK",
    "BFD_CHECK",
    "FILE_CHECK",
];

/// What is around a checker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around<'a> {
    pub(super) server: &'a RealServer<'a>,
    /// Those of the virtual server.
    pub(super) virtualhost: &'a Slot<String>,
    pub(super) timing: &'a Timing,
}

impl Around<'_> {
    fn timers<'t>(&'t self, own: &[&'t Timing]) -> Timers<'t> {
        let inner_first = [own, &[&self.server.timing, self.timing]].concat();
        Timers { inner_first, virtual_server: self.timing }
    }
}

pub(super) fn is_checker(keyword: &str) -> bool {
    CHECKERS.contains(&keyword)
}

/// Reads a checker.
pub(super) fn read(statement: &Statement, around: Around<'_>, remarks: &mut Remarks) -> Vec<Check> {
    if !statement.arguments().is_empty() {
        statement.tell(Fate::NotNeeded, "what follows the keyword is ignored", remarks);
    }
    match statement.keyword() {
        "TCP_CHECK" => plain(statement, Probe::tcp(), around, remarks),
        "PING_CHECK" => plain(statement, Probe::icmp(), around, remarks),
        "HTTP_GET" => http::read(statement, false, around, remarks),
        "SSL_GET" => http::read(statement, true, around, remarks),
        "SMTP_CHECK" => smtp::read(statement, around, remarks),
        "DNS_CHECK" => dns::read(statement, around, remarks).into_iter().collect(),
        "MISC_CHECK" => misc::read(statement, around, remarks).into_iter().collect(),
        "UDP_CHECK" => udp::read(statement, around, remarks).into_iter().collect(),
        "FILE_CHECK" => {
            let reason =
                "no check reads a file: let a MISC_CHECK read it; the server is not checked by it";
            statement.tell(Fate::LeftOut, reason, remarks);
            Vec::new()
        }
        _ => {
            let reason = "there is no BFD; the server is not checked by it";
            statement.tell(Fate::LeftOut, reason, remarks);
            Vec::new()
        }
    }
}

fn plain(
    statement: &Statement,
    probe: Probe,
    around: Around<'_>,
    remarks: &mut Remarks,
) -> Vec<Check> {
    let common = Common::read(statement, &[], remarks, |_, _| false);
    common.check(probe, Defaults::USUAL, around, remarks).into_iter().collect()
}

/// What all checkers over the network have.
#[derive(Debug, Default)]
struct Common {
    timing: Timing,
    connection: Connection,
}

impl Common {
    /// Reads the block of a checker. `own` takes its own keywords, and returns `false` for others.
    /// `blocks` are those of its keywords that have blocks.
    fn read<'s>(
        statement: &'s Statement,
        blocks: &[&str],
        remarks: &mut Remarks,
        mut own: impl FnMut(&'s Statement, &mut Remarks) -> bool,
    ) -> Self {
        let mut common = Self::default();
        for statement in statement.inside() {
            let known = statement.has_wrong_block(blocks, remarks)
                || own(statement, remarks)
                || common.timing.take(statement, 0, remarks)
                || common.connection.take(statement, remarks)
                || Self::tell(statement, remarks);
            if !known {
                statement.unknown(remarks);
            }
        }
        common
    }

    /// Takes what every checker has and the converted file does not need.
    fn tell(statement: &Statement, remarks: &mut Remarks) -> bool {
        match statement.keyword() {
            "alpha" => {
                if let Some(alpha) = statement.switch(remarks) {
                    tell_alpha(statement, alpha, remarks);
                }
            }
            "log_all_failures" => {
                let reason = "`director status` tells the last failure of every check";
                statement.tell(Fate::NotNeeded, reason, remarks);
            }
            _ => return false,
        }
        true
    }

    /// Makes a check over the network.
    fn check(
        &self,
        probe: Probe,
        defaults: Defaults,
        around: Around<'_>,
        remarks: &mut Remarks,
    ) -> Option<Check> {
        if self.connection.is_elsewhere(around.server, remarks) {
            self.timing.tell_unused(remarks);
            return None;
        }
        let timers = around.timers(&[&self.timing]);
        let (pace, timeout) = (timers.pace(defaults), timers.timeout());
        let probe = self.connection.apply(probe.timeout(timeout), around.server, remarks);
        Some(Check { probe, pace, says_weight: None })
    }
}
