//! `node-proxy run --dry-run`: what the program would do first.

use std::io::{self, Write as _};

use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::tokio::Client;

use super::failure::Failure;
use super::incoming::Incoming;
use super::{RunArguments, owned};
use crate::checks;
use crate::firewall::Preview;
use crate::host::{Host, StateFolder};
use crate::log;
use crate::planned;

/// Prints the plan as commands, and on standard error everything else, as the program would log it.
pub(super) async fn print_plan(
    arguments: &RunArguments,
    ipvs: &mut Client,
    mut incoming: Incoming,
    host: &Host,
) -> Result<(), Failure> {
    let first = incoming.first_in_time(|_, _| ()).await?;
    host.compare(&first)?;
    tell_left_out(arguments, &first);
    let converter = incoming.caches.converter();
    let node_addresses = &converter.options().node_addresses;
    let elsewhere: Vec<_> = host.held_elsewhere().collect();
    let firewall = Preview::of(&arguments.firewall, &first, node_addresses, &elsewhere).await;
    firewall.lines().for_each(log::line);
    let mut table = converter.converted().table;
    table.retain(|service| !firewall.refuses(service.id()));
    let earlier = owned::read(&StateFolder::new(&arguments.host.place.state_dir))?;
    let snapshot = ipvs.snapshot().await?;
    let planning = PlanOptions::new().scope(arguments.first_scope(&earlier));
    let text = planned::commands(&snapshot, &table, &planning)?;
    Ok(io::stdout().write_all(text.as_bytes())?)
}

fn tell_left_out(arguments: &RunArguments, first: &Changes) {
    for skipped in &first.skipped_added {
        log::line(format_args!("left out: {skipped}"));
    }
    for (service, facts) in &first.services {
        let text = facts.as_ref().and_then(|facts| facts.health_checks.as_deref());
        if let Some(Err(told)) = text.map(|text| checks::examine(service, text, &arguments.checks))
        {
            log::line(told);
        }
    }
}
