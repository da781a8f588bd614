//! What a file says of passive signs.

use std::ops::RangeInclusive;
use std::time::Duration;

use ipvs_netlink::health::passive::ReadingSchedule;
use serde::Deserialize;

use super::super::tree::{Id, Value};
use super::super::{OnSign, PassiveSigns};
use super::reading::{Reading, unknown_key};
use super::time::Time;

const KEYS: [&str; 3] = ["on_sign", "interval", "most_connections"];

/// The times between two readings that a file may give.
const INTERVAL: RangeInclusive<Duration> =
    ReadingSchedule::SHORTEST_INTERVAL..=Duration::from_secs(3600);

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Tell,
    Check,
}

impl Reading<'_> {
    /// Reads `tell`, `check`, `false`, or a mapping that says more.
    pub(super) fn passive_signs(&mut self, id: Id) -> PassiveSigns {
        let mut signs = PassiveSigns::default();
        if !matches!(self.tree.node(id).value, Value::Mapping(_)) {
            signs.on_sign = self.on_sign(id, "passive_signs, tell, check, false or a mapping");
            return signs;
        }
        let (rest, [on_sign, interval, most_connections]) = self.split(id, KEYS);
        let unknown: Vec<_> = self.tree.entries(rest).into_iter().flatten().collect();
        for (key, _) in unknown {
            let name = self.tree.text(key).unwrap_or_default();
            self.error(self.tree.at(key), unknown_key(name, KEYS.into_iter()));
        }
        if let Some(id) = on_sign {
            signs.on_sign = self.on_sign(id, "on_sign, tell, check or false");
        }
        if let Some(id) = interval
            && let Some(Time(time)) = self.read(id)
        {
            if !INTERVAL.contains(&time) {
                let at = self.tree.at(id);
                self.error(at, format_args!("found a duration of {time:?}, expected 4s to 1h"));
            }
            signs.interval = time;
        }
        if let Some(most) = most_connections.and_then(|id| self.read(id)) {
            signs.most_connections = most;
        }
        signs
    }

    fn on_sign(&mut self, id: Id, expected: &str) -> OnSign {
        if self.is_false(id) {
            return OnSign::Ignore;
        }
        match self.try_read(id) {
            Ok(Word::Tell) => OnSign::Tell,
            Ok(Word::Check) => OnSign::Check,
            Err(_) => {
                self.unexpected(id, expected);
                OnSign::default()
            }
        }
    }
}
