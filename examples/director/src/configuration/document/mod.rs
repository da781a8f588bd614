//! Reads a configuration from the tree of a file.

mod agreement;
mod certificates;
mod commands;
mod levels;
mod passive;
mod reading;
mod service;
mod synchronization;
mod time;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::time::Duration;

use ipvs_netlink::health::through::MarkRange;
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::{ServiceId, Settings, Timeouts};
use serde::Deserialize;

pub(super) use self::certificates::Files;
use self::levels::Paces;
pub(super) use self::reading::Findings;
use self::reading::{Reading, unknown_key};
use self::service::Read;
use self::time::Time;
use super::Configuration;
use super::tree::{Finding, Id, Tree, Value};

/// The keys of a file.
const KEYS: [&str; 11] = [
    "namespace",
    "timeouts",
    "settings",
    "write_settings",
    "synchronization",
    "drain",
    "resync",
    "passive_signs",
    "marks",
    "defaults",
    "services",
];

/// The most unknown keys that are told. A file in another format may have a million.
const MOST_UNKNOWN: usize = 1000;

/// The times between two readings of the whole table that a file may give.
const RESYNC: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(1)..=Duration::from_secs(86_400);

/// Reads a configuration. Returns it with the warnings about it, or everything that is wrong.
pub(super) fn read(
    tree: Tree<'_>,
    root: Id,
    found: Vec<Finding>,
    files: Files,
) -> Result<(Configuration, Findings), Findings> {
    let mut errors = Findings::default();
    found.into_iter().for_each(|finding| errors.push(finding));
    let mut reading = Reading::new(tree, errors, files);
    let configuration = reading.configuration(root);
    match reading.errors.is_empty() {
        true => Ok((configuration, reading.warnings)),
        false => Err(reading.errors),
    }
}

impl Reading<'_> {
    fn configuration(&mut self, root: Id) -> Configuration {
        let mut configuration = Configuration::default();
        let (rest, keys) = self.split(root, KEYS);
        let at = self.tree.at(root);
        match &self.tree.node(root).value {
            Value::Mapping(_) => {}
            Value::Null => {
                self.error(at, "the file is empty, expected at least services, `[]` for none");
                return configuration;
            }
            _ => {
                let expected = format!("a mapping with the keys {}", KEYS.join(", "));
                self.unexpected(root, &expected);
                return configuration;
            }
        }
        for (at, message) in self.unknown(rest) {
            self.error(at, message);
        }
        let [
            namespace,
            timeouts,
            settings,
            write_settings,
            synchronization,
            drain,
            resync,
            passive_signs,
            marks,
            defaults,
            services,
        ] = keys;
        configuration.namespace = namespace.and_then(|id| self.namespace(id));
        configuration.timeouts = timeouts.map(|id| self.timeouts(id)).unwrap_or_default();
        configuration.settings = settings.and_then(|id| self.settings(id)).unwrap_or_default();
        configuration.write_settings = write_settings.is_some_and(|id| self.truth(id));
        configuration.synchronization = synchronization.and_then(|id| self.synchronization(id));
        if let Some(id) = drain {
            let options = self.tree.keyed(self.tree.at(id), &[("drain", id)]);
            configuration.drain = self.read(options).and_then(|options: PlanOptions| options.drain);
        }
        configuration.resync = resync.and_then(|id| self.resync(id));
        configuration.passive_signs =
            passive_signs.map(|id| self.passive_signs(id)).unwrap_or_default();
        configuration.marks = marks.and_then(|id| self.marks(id));
        let mut paces = Paces::new();
        let defaults = self.defaults(defaults, &mut paces);
        let Some(services) = services else {
            self.error(at, "the key services is missing; write `services: []` for none");
            return configuration;
        };
        let Some(items) = self.tree.items(services).map(<[Id]>::to_vec) else {
            self.unexpected(services, "services, a list, [] for none");
            return configuration;
        };
        let mut places: BTreeMap<ServiceId, u32> = BTreeMap::new();
        let mut all = Vec::new();
        for item in items {
            if self.errors.is_full() {
                break;
            }
            let Some(read) = self.service(item, &defaults, &mut paces) else { continue };
            match places.entry(read.id()) {
                Entry::Vacant(place) => {
                    place.insert(read.at);
                    let synchronizes =
                        configuration.synchronization.as_ref().is_some_and(|all| !all.is_empty());
                    self.agrees(&read, &defaults, configuration.marks, synchronizes);
                    all.push(read);
                }
                Entry::Occupied(first) => {
                    let what = format_args!("service {}", read.id());
                    self.errors.push(Finding::twice(read.at, what, *first.get()));
                }
            }
        }
        self.agree_together(&all, configuration.marks);
        let services = all.into_iter().map(|read: Read| (read.id(), read.configuration));
        configuration.services = services.collect();
        configuration
    }

    fn unknown(&self, rest: Id) -> Vec<(u32, String)> {
        let entries = self.tree.entries(rest).into_iter().flatten();
        entries
            .take(MOST_UNKNOWN)
            .map(|(key, _)| {
                let name = self.tree.text(key).unwrap_or_default();
                (self.tree.at(key), unknown_key(name, KEYS.into_iter()))
            })
            .collect()
    }

    fn namespace(&mut self, id: Id) -> Option<PathBuf> {
        let path = match self.tree.text(id) {
            Some("" | "." | "..") | None => None,
            Some(text) if text.contains('\0') || text.len() > 4096 => None,
            Some(path) if path.starts_with('/') => Some(PathBuf::from(path)),
            Some(name) if !name.contains('/') => Some(PathBuf::from("/run/netns").join(name)),
            Some(_) => None,
        };
        if path.is_none() {
            self.unexpected(id, "namespace, a name below /run/netns or an absolute path");
        }
        path
    }

    fn timeouts(&mut self, id: Id) -> Timeouts {
        let timeouts: Timeouts = self.read(id).unwrap_or_default();
        for (key, field) in
            [("tcp", timeouts.tcp), ("tcp_fin", timeouts.tcp_fin), ("udp", timeouts.udp)]
        {
            let mut alone = Timeouts::default();
            match key {
                "tcp" => alone.tcp = field,
                "tcp_fin" => alone.tcp_fin = field,
                _ => alone.udp = field,
            }
            if let Err(invalid) = alone.validate() {
                let place = self.tree.get(id, key).unwrap_or(id);
                self.error(self.tree.at(place), invalid);
            }
        }
        timeouts
    }

    fn settings(&mut self, id: Id) -> Option<Settings> {
        self.read(id)
    }

    /// Reads the switch that has timeouts and settings written.
    fn truth(&mut self, id: Id) -> bool {
        match self.tree.node(id).value {
            Value::Truth(truth) => truth,
            _ => {
                self.unexpected(id, "write_settings, true or false");
                false
            }
        }
    }

    fn resync(&mut self, id: Id) -> Option<Duration> {
        let Time(time) = self.read(id)?;
        if !RESYNC.contains(&time) {
            let at = self.tree.at(id);
            self.error(at, format_args!("found a duration of {time:?}, expected 1s to 1d"));
        }
        Some(time)
    }

    fn marks(&mut self, id: Id) -> Option<MarkRange> {
        #[derive(Deserialize)]
        #[serde(
            deny_unknown_fields,
            expecting = "marks, a mapping with the keys from and to, like {from: 0x4000, to: 0x4fff}"
        )]
        struct Shape {
            from: u32,
            to: u32,
        }

        let Shape { from, to } = self.read(id)?;
        match MarkRange::new(from..=to) {
            Ok(marks) => Some(marks),
            Err(invalid) => {
                self.error(self.tree.at(id), invalid);
                None
            }
        }
    }
}
