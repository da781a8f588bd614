//! The table as commands for `nft`.

mod chains;
mod expression;

use std::collections::{BTreeSet, HashSet};

use ipvs_netlink::AddressFamily;
use nftables::batch::Batch;
use nftables::schema::{
    Chain, Element as Elements, NfListObject, Nftables, Rule, Set, SetFlag, SetType, SetTypeValue,
    Table,
};
use nftables::types::{NfChainPolicy, NfFamily};

use crate::firewall::set::{Element, Purpose, SetName};
use crate::firewall::{FirewallOptions, Rules};

/// A transaction for `nft -j -f -`: all of it happens, or nothing.
pub type Transaction = Nftables<'static>;

/// Returns the transaction after which the table is there with these contents, whatever was there before.
#[must_use]
pub fn replacement(options: &FirewallOptions, rules: &Rules) -> Transaction {
    let mut batch = Batch::new();
    // A table that is not there cannot be deleted.
    batch.add(NfListObject::Table(table(options)));
    batch.delete(NfListObject::Table(table(options)));
    batch.add(NfListObject::Table(table(options)));
    for (name, elements) in rules.sets() {
        batch.add(NfListObject::Set(Box::new(set(options, name, elements))));
    }
    let chains = chains::all(options);
    for chain in &chains {
        batch.add(NfListObject::Chain(declared(options, chain)));
    }
    for chain in chains {
        for statements in chain.rules {
            batch.add(NfListObject::Rule(Rule {
                family: NfFamily::INet,
                table: options.firewall_table.as_str().to_owned().into(),
                chain: chain.name.clone().into(),
                expr: statements.into(),
                ..Rule::default()
            }));
        }
    }
    batch.to_nftables()
}

/// Returns the number of rules, whatever the contents.
pub(crate) fn count_rules(options: &FirewallOptions) -> usize {
    chains::all(options).iter().map(|chain| chain.rules.len()).sum()
}

/// Returns the transaction that turns the contents `before` into those of `after`. It fails if the table is
/// not there, or has not the contents `before`.
#[must_use]
pub fn change(options: &FirewallOptions, before: &Rules, after: &Rules) -> Transaction {
    let mut batch = Batch::new();
    // Elements that leave come first: a network that comes may overlap with one that leaves.
    for ((name, had), (_, has)) in before.sets().zip(after.sets()) {
        if let Some(elements) = elements(options, name, had.difference(has)) {
            batch.delete(NfListObject::Element(elements));
        }
    }
    for ((name, had), (_, has)) in before.sets().zip(after.sets()) {
        if let Some(elements) = elements(options, name, has.difference(had)) {
            batch.add(NfListObject::Element(elements));
        }
    }
    batch.to_nftables()
}

/// Returns the transaction that deletes the table. It fails if the table is not there.
#[must_use]
pub fn removal(options: &FirewallOptions) -> Transaction {
    let mut batch = Batch::new();
    batch.delete(NfListObject::Table(table(options)));
    batch.to_nftables()
}

/// Returns a transaction that the kernel refuses because a chain is in use, if the table has its rules. Only for a
/// check: see [`Nft::is_intact`](crate::firewall::Nft::is_intact).
#[must_use]
pub fn deletion_of_used_chain(options: &FirewallOptions) -> Transaction {
    let mut batch = Batch::new();
    if let Some(chain) = chains::all(options).first() {
        batch.delete(NfListObject::Chain(declared(options, chain)));
    }
    batch.to_nftables()
}

fn table(options: &FirewallOptions) -> Table<'static> {
    let name = options.firewall_table.as_str().to_owned();
    Table { family: NfFamily::INet, name: name.into(), handle: None }
}

fn set(options: &FirewallOptions, name: SetName, elements: &BTreeSet<Element>) -> Set<'static> {
    let elem: Vec<_> = elements.iter().map(expression::element).collect();
    Set {
        family: NfFamily::INet,
        table: options.firewall_table.as_str().to_owned().into(),
        name: name.to_string().into(),
        set_type: types(name),
        flags: name.has_intervals().then(|| HashSet::from([SetFlag::Interval])),
        elem: (!elem.is_empty()).then(|| elem.into()),
        ..Set::default()
    }
}

fn elements<'e>(
    options: &FirewallOptions,
    name: SetName,
    elements: impl Iterator<Item = &'e Element>,
) -> Option<Elements<'static>> {
    let elem: Vec<_> = elements.map(expression::element).collect();
    (!elem.is_empty()).then(|| Elements {
        family: NfFamily::INet,
        table: options.firewall_table.as_str().to_owned().into(),
        name: name.to_string().into(),
        elem: elem.into(),
    })
}

fn types(name: SetName) -> SetTypeValue<'static> {
    let address = match name.family {
        AddressFamily::Ipv4 => SetType::Ipv4Addr,
        AddressFamily::Ipv6 => SetType::Ipv6Addr,
    };
    let several = |types: &[SetType]| SetTypeValue::Concatenated(types.to_vec().into());
    match name.purpose {
        Purpose::ClusterIps
        | Purpose::Masqueraded
        | Purpose::Kept
        | Purpose::Closed
        | Purpose::Restricted => several(&[address, SetType::InetProto, SetType::InetService]),
        Purpose::Sources(_) => several(&[address, SetType::InetService, address]),
        Purpose::Hairpin => several(&[address, address]),
        Purpose::Addresses | Purpose::Inside => SetTypeValue::Single(address),
        Purpose::HealthCheckPorts => SetTypeValue::Single(SetType::InetService),
    }
}

fn declared(options: &FirewallOptions, chain: &chains::Chain) -> Chain<'static> {
    let base = chain.hook.as_ref();
    Chain {
        family: NfFamily::INet,
        table: options.firewall_table.as_str().to_owned().into(),
        name: chain.name.clone().into(),
        _type: base.map(|(kind, _, _)| *kind),
        hook: base.map(|(_, hook, _)| *hook),
        prio: base.map(|(_, _, priority)| *priority),
        policy: base.map(|_| NfChainPolicy::Accept),
        ..Chain::default()
    }
}
