//! Checks by default, by service and by destination.

use std::collections::HashMap;
use std::rc::Rc;

use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::health::{Combination, Pace};

use super::super::Checks;
use super::super::tree::Id;
use super::reading::Reading;

/// The keys of a level.
pub(super) const KEYS: [&str; 3] = ["checks", "pace", "combination"];

/// The most checks of a list.
const MOST: usize = 64;

/// What holds for the destinations of a level: the keys of the level itself, and for those that it
/// does not have those of the outer level. Paces are merged.
#[derive(Clone, Debug, Default)]
pub(super) struct Level {
    pub(super) checks: Rc<[Check]>,
    /// The paces, the outermost first.
    paces: Vec<Id>,
    combination: Combination,
    /// The place of `combination`.
    pub(super) combination_at: Option<u32>,
}

/// A check as it is written.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) probe: Probe,
    pace: Option<Id>,
    pub(super) at: u32,
}

/// The paces that were merged before, by their layers.
pub(super) type Paces = HashMap<Vec<Id>, Pace>;

impl Reading<'_> {
    /// Reads the keys of a level inside of another one.
    pub(super) fn level(&mut self, outer: &Level, keys: [Option<Id>; 3]) -> Level {
        let mut level = outer.clone();
        let [checks, pace, combination] = keys;
        if let Some(list) = checks {
            level.checks = self.checks(list);
        }
        if let Some(pace) = pace.and_then(|pace| self.pace(pace)) {
            level.paces.push(pace);
        }
        if let Some(id) = combination
            && let Some(combination) = self.read(id)
        {
            level.combination = combination;
            level.combination_at = Some(self.tree.at(id));
        }
        level
    }

    fn checks(&mut self, list: Id) -> Rc<[Check]> {
        let Some(items) = self.tree.items(list).map(<[Id]>::to_vec) else {
            self.unexpected(list, "checks, a list, [] for none");
            return Rc::default();
        };
        if items.len() > MOST {
            self.error(self.tree.at(list), format_args!("more than {MOST} checks"));
            return Rc::default();
        }
        items.into_iter().filter_map(|item| self.check(item)).collect()
    }

    fn check(&mut self, item: Id) -> Option<Check> {
        let at = self.tree.at(item);
        let (probe, [pace]) = self.split(item, ["pace"]);
        let pace = pace.and_then(|pace| self.pace(pace));
        let probe = self.with_certificates(probe);
        let probe: Probe = self.read(probe)?;
        Some(Check { probe, pace, at })
    }

    /// Reads a pace by itself, so that what is wrong with it is told once. Returns it without that.
    fn pace(&mut self, id: Id) -> Option<Id> {
        let told = |_: &[_]| super::reading::Told::Here;
        let (_, cleaned) = self.read_and_clean::<Pace>(id, told)?;
        Some(cleaned)
    }

    /// Returns the checks of a level, each with its pace merged over those of the levels.
    pub(super) fn resolve(&mut self, level: &Level, paces: &mut Paces) -> Checks {
        let mut checks = Vec::with_capacity(level.checks.len());
        for check in level.checks.iter() {
            let mut layers = level.paces.clone();
            layers.extend(check.pace);
            let pace = match paces.get(&layers) {
                Some(pace) => *pace,
                None => {
                    let merged = self.merged(&layers);
                    let pace = merged.and_then(|merged| self.read(merged)).unwrap_or_default();
                    paces.insert(layers, pace);
                    pace
                }
            };
            checks.push((check.probe.clone(), pace));
        }
        Checks { checks, combination: level.combination }
    }
}
