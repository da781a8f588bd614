//! What must hold when all have fallen silent.

use std::collections::BTreeMap;

use ipvs_netlink::kubernetes::{Converted, Skipped};
use ipvs_netlink::table::{Table, TableService};

use crate::agent::Agent;

/// Returns an error if the sum of all changes is not what `convert` makes of all objects.
pub(crate) fn sum(agent: &Agent, expected: &Converted) -> Result<(), String> {
    let sum = &agent.sum;
    let told = |what: &str, agrees: bool| match agrees {
        true => Ok(()),
        false => Err(format!("the changes add up to other {what} than `convert` makes")),
    };
    told("virtual services", sum.virtual_services == expected.virtual_services)?;
    told("addresses", sum.addresses == expected.addresses)?;
    told("facts of services", sum.services == expected.services)?;
    told("entries of what was left out", counted(&sum.skipped) == counted(&expected.skipped))?;
    told("results", agent.converter.converted() == *expected)
}

fn counted(all: &[Skipped]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for skipped in all {
        *counts.entry(format!("{skipped:?}")).or_default() += 1;
    }
    counts
}

/// Returns the first difference between the kernel's table and what it is to be.
pub(crate) fn difference(there: &Table, wanted: &Table) -> Option<String> {
    let text = |service: &TableService| {
        let table: Table = [service.clone()].into_iter().collect();
        table.to_string().replace('\n', "; ")
    };
    for service in wanted {
        match there.get(service.id()) {
            None => return Some(format!("not there: {}", text(service))),
            Some(present) if present != service => {
                return Some(format!("is {}, not {}", text(present), text(service)));
            }
            Some(_) => {}
        }
    }
    let surplus = there.services().find(|it| wanted.get(it.id()).is_none());
    surplus.map(|service| format!("is there: {}", text(service)))
}
