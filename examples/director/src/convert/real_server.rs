//! `real_server`: a destination and how it is checked.

use std::net::IpAddr;

use ipvs_netlink::Forwarding;
use ipvs_netlink::health::Pace;
use ipvs_netlink::health::probe::Probe;

use crate::convert::blocks::Statement;
use crate::convert::checkers;
use crate::convert::forwarding;
use crate::convert::settings::Slot;
use crate::convert::timing::Timing;
use crate::convert::unsaid::{Fate, Place, Remarks};

/// What the block of a real server says.
#[derive(Debug)]
pub(super) struct RealServer<'s> {
    pub(super) statement: &'s Statement,
    pub(super) address: IpAddr,
    pub(super) port: Option<u16>,
    pub(super) weight: Slot<u32>,
    pub(super) forwarding: Slot<Forwarding>,
    pub(super) upper: Slot<u32>,
    pub(super) lower: Slot<u32>,
    pub(super) inhibit: Slot<bool>,
    pub(super) virtualhost: Slot<String>,
    pub(super) timing: Timing,
    checkers: Vec<&'s Statement>,
}

/// A check of a real server.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Check {
    pub(super) probe: Probe,
    pub(super) pace: Pace,
    /// The line by which the check says the weight itself.
    pub(super) says_weight: Option<Place>,
}

impl<'s> RealServer<'s> {
    /// Reads the block, without its checkers.
    pub(super) fn read(statement: &'s Statement, remarks: &mut Remarks) -> Option<Self> {
        let (address, port) = statement.address(statement.arguments(), remarks)?;
        let mut server = Self {
            statement,
            address,
            port,
            weight: Slot::default(),
            forwarding: Slot::default(),
            upper: Slot::default(),
            lower: Slot::default(),
            inhibit: Slot::default(),
            virtualhost: Slot::default(),
            timing: Timing::default(),
            checkers: Vec::new(),
        };
        for statement in statement.inside() {
            if checkers::is_checker(statement.keyword()) {
                server.checkers.push(statement);
            } else if !statement.has_wrong_block(&[], remarks) {
                server.take(statement, remarks);
            }
        }
        Some(server)
    }

    fn take(&mut self, statement: &Statement, remarks: &mut Remarks) {
        if self.timing.take(statement, 1, remarks) {
            return;
        }
        let number = |remarks: &mut Remarks| statement.number(0..=i32::MAX.unsigned_abs(), remarks);
        match statement.keyword() {
            "weight" => {
                if let Some(weight) = number(remarks) {
                    self.weight.set(statement, weight, remarks);
                }
            }
            "uthreshold" => {
                if let Some(upper) = number(remarks) {
                    self.upper.set(statement, upper, remarks);
                }
            }
            "lthreshold" => {
                if let Some(lower) = number(remarks) {
                    self.lower.set(statement, lower, remarks);
                }
            }
            "lvs_method" => {
                if let Some(forwarding) = forwarding::read(statement, remarks) {
                    self.forwarding.set(statement, forwarding, remarks);
                }
            }
            "inhibit_on_failure" => {
                if let Some(inhibit) = statement.switch(remarks) {
                    self.inhibit.set(statement, inhibit, remarks);
                }
            }
            "virtualhost" => {
                if let Some(host) = statement.one("a host", remarks) {
                    self.virtualhost.set(statement, host.to_owned(), remarks);
                }
            }
            "alpha" => {
                if let Some(alpha) = statement.switch(remarks) {
                    tell_alpha(statement, alpha, remarks);
                }
            }
            "notify_up" | "notify_down" => {
                let reason =
                    "the director runs no command for one server: follow `director events`";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "smtp_alert" => tell_mail(statement, remarks),
            "snmp_name" => tell_snmp(statement, remarks),
            _ => statement.unknown(remarks),
        }
    }

    /// Reads the checkers.
    pub(super) fn checks(
        &self,
        virtualhost: &Slot<String>,
        timing: &Timing,
        remarks: &mut Remarks,
    ) -> Vec<Check> {
        let around = checkers::Around { server: self, virtualhost, timing };
        let mut checks = Vec::new();
        for statement in &self.checkers {
            checks.extend(checkers::read(statement, around, remarks));
        }
        self.timing.tell_unused(remarks);
        self.virtualhost.tell_unused(remarks);
        checks
    }
}

pub(super) fn tell_alpha(statement: &Statement, alpha: bool, remarks: &mut Remarks) {
    let (fate, reason) = match alpha {
        true => (Fate::NotNeeded, "a server enters the table after its first success anyway"),
        false => (Fate::LeftOut, "a server enters the table after its first success, not before"),
    };
    statement.tell(fate, reason, remarks);
}

pub(super) fn tell_mail(statement: &Statement, remarks: &mut Remarks) {
    let reason = "the director sends no mail: follow `director events` or its log";
    statement.tell(Fate::LeftOut, reason, remarks);
}

pub(super) fn tell_snmp(statement: &Statement, remarks: &mut Remarks) {
    statement.tell(Fate::LeftOut, "there is no SNMP: read `director status --json`", remarks);
}
