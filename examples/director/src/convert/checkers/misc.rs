//! `MISC_CHECK`: a program.

use std::time::Duration;

use ipvs_netlink::health::probe::{CommandCheck, Probe};

use crate::convert::blocks::Statement;
use crate::convert::checkers::{Around, Common};
use crate::convert::real_server::Check;
use crate::convert::script;
use crate::convert::settings::Slot;
use crate::convert::timing::{Defaults, Timing};
use crate::convert::unsaid::{Fate, Remarks};

const DEFAULTS: Defaults = Defaults { retry: 0, ..Defaults::USUAL };

pub(super) fn read(
    statement: &Statement,
    around: Around<'_>,
    remarks: &mut Remarks,
) -> Option<Check> {
    let (mut path, mut timeout, mut dynamic) = (Slot::default(), Slot::default(), None);
    let mut timing = Timing::default();
    for statement in statement.inside() {
        if statement.has_wrong_block(&[], remarks) {
            continue;
        }
        match statement.keyword() {
            "misc_path" => {
                if let Some(script) = script::read(statement, remarks) {
                    path.set(statement, script, remarks);
                }
            }
            "misc_timeout" => {
                if let Some(seconds) = statement.number(0..=86_400, remarks) {
                    timeout.set(statement, Duration::from_secs(seconds.into()), remarks);
                }
            }
            "misc_dynamic" => dynamic = Some(statement.place.clone()),
            "user" => {
                let reason = "the director runs all programs as its own user";
                statement.tell(Fate::LeftOut, reason, remarks);
            }
            "connect_timeout" => statement.unknown(remarks),
            _ if timing.take(statement, 0, remarks) || Common::tell(statement, remarks) => {}
            _ => statement.unknown(remarks),
        }
    }
    let timers = around.timers(&[&timing]);
    let Some([program, arguments @ ..]) = path.get().map(Vec::as_slice) else {
        statement.tell(
            Fate::LeftOut,
            "it names no program: the server is not checked by it",
            remarks,
        );
        return None;
    };
    let command = CommandCheck::new(program, arguments);
    let command = if dynamic.is_some() { command.weighted() } else { command };
    let timeout = timeout.get().copied().filter(|timeout| !timeout.is_zero());
    let probe = Probe::command(command).timeout(timeout.unwrap_or(timers.time_of_programs()));
    Some(Check { probe, pace: timers.pace(DEFAULTS), says_weight: dynamic })
}
