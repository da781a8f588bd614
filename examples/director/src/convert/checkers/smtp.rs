//! `SMTP_CHECK`: the greeting of a mail server.

use ipvs_netlink::health::probe::{Exchange, Probe};

use crate::convert::blocks::Statement;
use crate::convert::checkers::{Around, Common};
use crate::convert::real_server::Check;
use crate::convert::timing::Defaults;
use crate::convert::unsaid::{Fate, Remarks};

/// Reads a checker: each host is a check of its own.
pub(super) fn read(statement: &Statement, around: Around<'_>, remarks: &mut Remarks) -> Vec<Check> {
    let mut hosts = Vec::new();
    let common = Common::read(statement, &["host"], remarks, |statement, remarks| match statement
        .keyword()
    {
        "host" => {
            hosts.push(Common::read(statement, &[], remarks, |_, _| false));
            true
        }
        "helo_name" => {
            let reason = "a check waits for the greeting, 220, and says nothing to the server";
            statement.tell(Fate::LeftOut, reason, remarks);
            true
        }
        _ => false,
    });
    let greeting = || Probe::tcp_exchange(Exchange::new("", "220"));
    let reason = "a check waits for the greeting, 220: HELO and QUIT are not tried";
    statement.tell(Fate::Changed, reason, remarks);
    if hosts.is_empty() {
        return common.check(greeting(), Defaults::USUAL, around, remarks).into_iter().collect();
    }
    let mut checks = Vec::new();
    for host in &hosts {
        if host.connection.is_elsewhere(around.server, remarks) {
            host.timing.tell_unused(remarks);
            continue;
        }
        let timers = around.timers(&[&host.timing, &common.timing]);
        let (pace, probe) = (timers.pace(Defaults::USUAL), greeting().timeout(timers.timeout()));
        let probe = host.connection.apply(probe, around.server, remarks);
        checks.push(Check { probe, pace, says_weight: None });
    }
    common.timing.tell_unused(remarks);
    common.connection.tell_unused(remarks);
    checks
}
