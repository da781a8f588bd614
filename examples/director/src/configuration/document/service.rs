//! Services and their destinations.

use std::collections::HashMap;

use ipvs_netlink::health::PoolPolicy;
use ipvs_netlink::table::{Table, TableService};
use ipvs_netlink::{DestinationId, ServiceId};

use super::super::tree::{Finding, Id, Step};
use super::super::{Checks, Commands, ServiceConfiguration};
use super::levels::{self, Level, Paces};
use super::reading::{Reading, Told};

/// The keys of a service that destinations depend on.
const HEAD: [&str; 7] = ["tcp", "udp", "sctp", "fwmark", "family", "service", "forward"];

/// What holds for services that say nothing else.
#[derive(Debug)]
pub(super) struct Defaults {
    /// The settings of the table, for the library.
    table: Id,
    level: Level,
    checks: Checks,
    policy_layer: Option<Id>,
    policy: PoolPolicy,
    commands_layer: Option<Id>,
    commands: Option<Commands>,
}

/// A service that was read, with the places of its parts.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) at: u32,
    pub(super) configuration: ServiceConfiguration,
    pub(super) level: Level,
    /// The levels of destinations with settings of their own.
    pub(super) levels_of: HashMap<DestinationId, Level>,
    /// The place of the sorry server.
    pub(super) sorry_at: u32,
    pub(super) policy_at: u32,
    pub(super) commands_at: u32,
    head: Id,
    items: Vec<Item>,
}

/// A destination of a list: the part for the library, and the keys of its own level.
#[derive(Clone, Copy, Debug)]
struct Item {
    at: u32,
    table: Id,
    own: [Option<Id>; 3],
}

impl Item {
    fn has_own(&self) -> bool {
        self.own.iter().any(Option::is_some)
    }
}

impl Reading<'_> {
    /// Reads the defaults. Without any, the value is `None`.
    pub(super) fn defaults(&mut self, id: Option<Id>, paces: &mut Paces) -> Defaults {
        let none = self.tree.mapping(0, &[]);
        let (table, keys) = match id {
            Some(id) => self.split(id, ["checks", "pace", "combination", "policy", "commands"]),
            None => (none, [None; 5]),
        };
        let [checks, pace, combination, policy, commands] = keys;
        let services = self.tree.list(0, &[]);
        let root = self.tree.keyed(0, &[("defaults", table), ("services", services)]);
        let cleaned = self.read_and_clean::<Table>(root, |_| Told::Here);
        let cleaned = cleaned.and_then(|(_, root)| self.tree.get(root, "defaults")).unwrap_or(none);
        let table = self.with_stand_in(table, cleaned);
        let level = self.level(&Level::default(), [checks, pace, combination]);
        let checks = self.resolve(&level, paces);
        let (policy, policy_layer) = match policy {
            Some(policy) => self.policy_layer(policy).unzip(),
            None => (None, None),
        };
        Defaults {
            table,
            level,
            checks,
            policy: policy.unwrap_or_default(),
            policy_layer,
            commands: self.commands(&[commands]),
            commands_layer: commands,
        }
    }

    /// Reads a policy. Returns also the value of the tree that can be merged with others.
    fn policy_layer(&mut self, id: Id) -> Option<(PoolPolicy, Id)> {
        let without = self.without_switched_off(id);
        let (policy, cleaned) = self.read_and_clean(without, |_| Told::Here)?;
        let layer = if cleaned == without { id } else { cleaned };
        Some((policy, layer))
    }

    /// Returns a policy without the settings that are `false` for none.
    fn without_switched_off(&mut self, id: Id) -> Id {
        ["sorry", "slow_start"].into_iter().fold(id, |id, key| match self.tree.get(id, key) {
            Some(value) if self.is_false(value) => self.split(id, [key]).0,
            _ => id,
        })
    }

    /// Reads a service. The result is `None` if nothing is known of it; then errors were told.
    pub(super) fn service(
        &mut self,
        id: Id,
        defaults: &Defaults,
        paces: &mut Paces,
    ) -> Option<Read> {
        let at = self.tree.at(id);
        let (settings, keys) =
            self.split(id, ["checks", "pace", "combination", "policy", "commands", "destinations"]);
        let [checks, pace, combination, policy, commands, destinations] = keys;
        let items = self.items(destinations);
        let (table, ids) = match self.at_once(id, settings, keys, defaults, &items) {
            Ok(read) => (Some(read.0), read.1),
            Err(fault) => self.one_by_one(settings, defaults, &items, fault),
        };

        let level = self.level(&defaults.level, [checks, pace, combination]);
        let own = checks.or(pace).or(combination).is_some();
        let checks = match own {
            true => self.resolve(&level, paces),
            false => defaults.checks.clone(),
        };
        let mut checks_of = std::collections::BTreeMap::new();
        let mut levels_of = HashMap::new();
        for (position, item) in items.iter().enumerate().filter(|(_, item)| item.has_own()) {
            let inner = self.level(&level, item.own);
            let of_item = self.resolve(&inner, paces);
            if let Some(id) = ids.get(&position) {
                if of_item != checks {
                    checks_of.insert(*id, of_item);
                }
                levels_of.insert(*id, inner);
            }
        }
        let policy_at = self.tree.at(policy.unwrap_or(id));
        let mut sorry_at = policy_at;
        let layers: Vec<Id> = defaults.policy_layer.into_iter().chain(policy).collect();
        if let Some(merged) = self.merged(&layers)
            && let Some(sorry) = self.tree.get(merged, "sorry")
        {
            sorry_at = self.tree.at(sorry);
        }
        let policy = match policy {
            Some(own) => self.merged_policy(&layers, own),
            None => defaults.policy.clone(),
        };
        let commands_at = self.tree.at(commands.or(defaults.commands_layer).unwrap_or(id));
        let commands = match commands {
            Some(own) => {
                let before = self.errors.count();
                let read = self.commands(&[defaults.commands_layer, commands]);
                if read.is_none() && !self.is_false(own) && self.errors.count() == before {
                    self.error(
                        commands_at,
                        "commands without a program: give available or unavailable",
                    );
                }
                read
            }
            None => defaults.commands.clone(),
        };
        let configuration =
            ServiceConfiguration { table: table?, checks, checks_of, policy, commands };
        let head = self.head(settings);
        Some(Read {
            at,
            configuration,
            level,
            levels_of,
            sorry_at,
            policy_at,
            commands_at,
            head,
            items,
        })
    }

    fn merged_policy(&mut self, layers: &[Id], own: Id) -> PoolPolicy {
        // A layer that is no mapping cannot be merged, and reading it tells why.
        let merged = self.merged(layers).unwrap_or(own);
        let merged = self.without_switched_off(merged);
        self.read(merged).unwrap_or_default()
    }

    fn items(&mut self, destinations: Option<Id>) -> Vec<Item> {
        let list = destinations.and_then(|list| self.tree.items(list)).map(<[Id]>::to_vec);
        let items = list.unwrap_or_default().into_iter();
        items
            .map(|id| {
                let (table, own) = self.split(id, levels::KEYS);
                Item { at: self.tree.at(id), table, own }
            })
            .collect()
    }

    /// Reads a service with all of its destinations. Returns also the ids of the destinations that
    /// have settings of their own, by their positions.
    fn at_once(
        &mut self,
        id: Id,
        settings: Id,
        keys: [Option<Id>; 6],
        defaults: &Defaults,
        items: &[Item],
    ) -> Result<(TableService, HashMap<usize, DestinationId>), Option<Finding>> {
        let [.., destinations] = keys;
        let has_own = items.iter().any(Item::has_own);
        let service = match destinations {
            // Nothing but what the library reads.
            _ if !has_own && keys.iter().take(5).all(Option::is_none) => id,
            Some(list) if has_own || self.tree.items(list).is_none() => {
                let plain: Vec<Id> =
                    items.iter().filter(|item| !item.has_own()).map(|item| item.table).collect();
                let plain = match self.tree.items(list) {
                    Some(_) => self.tree.list(self.tree.at(list), &plain),
                    None => list,
                };
                self.with_destinations(settings, plain)
            }
            Some(list) => self.with_destinations(settings, list),
            None => settings,
        };
        let root = self.alone(service, defaults);
        let table: Table = self.try_read(root).map_err(|fault| {
            let at = self.tree.at(fault.at.unwrap_or(id));
            Some(Finding::new(at, fault.to_string()))
        })?;
        let mut service = table.into_iter().next().ok_or(None)?;
        let mut ids = HashMap::new();
        if has_own {
            let head = self.head(settings);
            for (position, item) in items.iter().enumerate().filter(|(_, item)| item.has_own()) {
                let root = self.single(head, item, defaults);
                let read: Table = self.try_read(root).map_err(|_| None)?;
                let destination =
                    read.services().next().and_then(|service| service.destinations().next());
                let destination = destination.cloned().ok_or(None)?;
                ids.insert(position, destination.id());
                if service.insert(destination).is_some() {
                    return Err(None);
                }
            }
        }
        Ok((service, ids))
    }

    /// Reads a service and each of its destinations by itself, to tell everything that is wrong.
    /// `fault` is what reading all at once found, which is told if nothing else is.
    fn one_by_one(
        &mut self,
        settings: Id,
        defaults: &Defaults,
        items: &[Item],
        fault: Option<Finding>,
    ) -> (Option<TableService>, HashMap<usize, DestinationId>) {
        let before = self.errors.count();
        let root = self.alone(settings, defaults);
        let cleaned = self.read_and_clean::<Table>(root, |_| Told::Here);
        let (table, root) = cleaned.unzip();
        let mut service = table.and_then(|table| table.into_iter().next());
        let before_cleaning = settings;
        let settings = root
            .and_then(|root| self.tree.get(root, "services"))
            .and_then(|list| self.tree.items(list)?.first().copied())
            .unwrap_or(settings);
        let is_known = service.is_some();
        let settings = self.with_stand_in(before_cleaning, settings);
        let head = self.head(settings);
        let mut ids = HashMap::new();
        let mut first: HashMap<DestinationId, u32> = HashMap::new();
        for (position, item) in items.iter().enumerate() {
            if self.errors.is_full() {
                break;
            }
            let root = self.single(head, item, defaults);
            let at = item.at;
            let read = self.read_and_clean::<Table>(root, |path: &[Step]| match path.len() {
                // The rules of a destination in its service.
                2 if is_known => Told::At(at),
                4.. => Told::Here,
                _ => Told::Nowhere,
            });
            let destination = read.and_then(|(table, _)| {
                table.services().next().and_then(|service| service.destinations().next()).cloned()
            });
            let Some(destination) = destination else { continue };
            let id = destination.id();
            match first.get(&id) {
                Some(first) => {
                    let what = format_args!("destination {id}");
                    self.errors.push(Finding::twice(at, what, *first));
                }
                None => {
                    first.insert(id, at);
                    ids.insert(position, id);
                    if let Some(service) = &mut service {
                        service.insert(destination);
                    }
                }
            }
        }
        if self.errors.count() == before {
            let at = self.tree.at(settings);
            let unknown = || Finding::new(at, "the service cannot be read");
            self.errors.push(fault.unwrap_or_else(unknown));
        }
        (service, ids)
    }

    /// Gives settings another forwarding method if theirs was taken out because it is wrong.
    /// Otherwise each destination would be told to have none. In tunnels all families go together.
    fn with_stand_in(&mut self, before: Id, cleaned: Id) -> Id {
        const KEY: &str = "forward";
        if self.tree.get(before, KEY).is_none() || self.tree.get(cleaned, KEY).is_some() {
            return cleaned;
        }
        let at = self.tree.at(before);
        let (key, value) = (self.tree.key(at, KEY), self.tree.key(at, "tunnel"));
        let entries = self.tree.entries(cleaned).into_iter().flatten();
        let entries: Vec<_> = entries.chain([(key, value)]).collect();
        self.tree.mapping(at, &entries)
    }

    /// Returns a table of one service.
    fn alone(&mut self, service: Id, defaults: &Defaults) -> Id {
        let at = self.tree.at(service);
        let list = self.tree.list(at, &[service]);
        self.tree.keyed(at, &[("defaults", defaults.table), ("services", list)])
    }

    /// Returns a table of one service with one destination.
    fn single(&mut self, head: Id, item: &Item, defaults: &Defaults) -> Id {
        let list = self.tree.list(item.at, &[item.table]);
        let service = self.with_destinations(head, list);
        self.alone(service, defaults)
    }

    fn with_destinations(&mut self, service: Id, list: Id) -> Id {
        let at = self.tree.at(service);
        let key = self.tree.key(at, "destinations");
        let entries = self.tree.entries(service).map(Iterator::collect::<Vec<_>>);
        let mut entries = entries.unwrap_or_default();
        entries.push((key, list));
        self.tree.mapping(at, &entries)
    }

    /// Returns the settings of a service that its destinations depend on.
    fn head(&mut self, settings: Id) -> Id {
        let is_of_head = |tree: &super::super::tree::Tree<'_>, key| {
            tree.text(key).is_some_and(|key| HEAD.contains(&key))
        };
        let entries = self.tree.entries(settings).map(|entries| {
            entries.filter(|(key, _)| is_of_head(&self.tree, *key)).collect::<Vec<_>>()
        });
        self.tree.mapping(self.tree.at(settings), &entries.unwrap_or_default())
    }

    /// Finds the places of the destinations of a service.
    pub(super) fn places(
        &mut self,
        read: &Read,
        defaults: &Defaults,
    ) -> HashMap<DestinationId, u32> {
        let mut places = HashMap::new();
        for item in &read.items {
            let root = self.single(read.head, item, defaults);
            let Ok(table) = self.try_read::<Table>(root) else { continue };
            for (_, destination) in table.destinations() {
                places.entry(destination.id()).or_insert(item.at);
            }
        }
        places
    }
}

impl Read {
    pub(super) const fn id(&self) -> ServiceId {
        self.configuration.table.id()
    }

    /// Returns the level of a destination.
    pub(super) fn level_of(&self, id: DestinationId) -> &Level {
        self.levels_of.get(&id).unwrap_or(&self.level)
    }
}
