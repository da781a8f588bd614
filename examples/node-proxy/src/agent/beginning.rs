//! What comes before the first write to the table.

use std::time::Instant;

use ipvs_netlink::kubernetes::Changes;
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::table::controller::{Controller, ControllerOptions};
use ipvs_netlink::tokio::Client;

use super::completeness::Completeness;
use super::failure::Failure;
use super::hooks::Hooks;
use super::incoming::Incoming;
use super::order::Order;
use super::owned::Owned;
use super::reports::Reports;
use super::schedulers::{self, Schedulers};
use super::undecided::Undecided;
use super::wishing::Wishing;
use super::{Agent, RunArguments, dry_run, explaining};
use crate::checks::Checks;
use crate::cluster::TableCondition;
use crate::host::{Host, StateFolder};
use crate::serving::Serving;

/// Does everything that comes before the first write to the table. Returns the agent with what the cluster has, or
/// `None` if the arguments ask for no more. The agent takes `condition` with it; otherwise the caller ends it.
pub(super) async fn begin(
    arguments: &RunArguments,
    condition: &mut TableCondition,
) -> Result<Option<(Agent, Changes)>, Failure> {
    let mut host = Host::open(&arguments.host, Instant::now()).await?;
    let mut options = arguments.conversion.options();
    let follows_host = options.node_addresses.is_empty();
    if follows_host {
        options.node_addresses = host.node_addresses();
    }
    let connection = arguments.access.client().await?;
    let proxy_name = arguments.service_proxy_name.as_deref();
    if let Some(subject) = &arguments.explain {
        let incoming = Incoming::start(&connection, &options, proxy_name);
        explaining::explain(subject, incoming).await?;
        return Ok(None);
    }
    let mut ipvs = Client::connect().await?;
    if arguments.init_only {
        let first = Incoming::start(&connection, &options, proxy_name).first(|_, _| ()).await;
        host.prepare(&first).await?;
        return Ok(None);
    }
    if arguments.dry_run {
        let incoming = Incoming::start(&connection, &options, proxy_name);
        dry_run::print_plan(arguments, &mut ipvs, incoming, &host).await?;
        return Ok(None);
    }
    let mut owned = Owned::open(&StateFolder::new(&arguments.host.place.state_dir))?;
    owned.disown(|id| arguments.conversion.excludes(id));
    schedulers::remove_trials(&mut ipvs).await?;
    if !schedulers::has(&mut ipvs, options.scheduler).await? {
        return Err(Failure::NoScheduler(options.scheduler));
    }
    if arguments.node_condition {
        condition.start(&connection.0, &options.node_name);
    }
    let mut serving = Serving::new(&options, condition.states());
    serving.start(&arguments.serving)?;
    let mut incoming = Incoming::start(&connection, &options, proxy_name);
    let (client, _) = connection;
    let mut reports = Reports::start(arguments.events, &client, &options.node_name);
    let noticed = |source, notice: &_| {
        reports.noticed(source, notice);
        serving.noticed(source, notice);
    };
    let first = incoming.first(noticed).await;
    serving.listed();
    // Nothing but a trial has been written before this, so nothing has been deleted either.
    let node_addresses = &incoming.caches.converter().options().node_addresses;
    let hooks =
        Hooks::start(arguments, &first, node_addresses, host, serving, reports, condition).await?;
    let wishing = Wishing::new(arguments.drain);
    let undecided = Undecided::default();
    let scope = undecided.spare(arguments.scope());
    let planning = PlanOptions::new().scope(scope).drain(wishing.usual());
    let agent = Agent {
        ipvs,
        incoming,
        controller: Controller::new(ControllerOptions::new().plan(planning)),
        hooks,
        order: Order::default(),
        undecided,
        completeness: Completeness::default(),
        checks: Checks::new(&arguments.checks),
        owned,
        schedulers: Schedulers::new(options.scheduler),
        wishing,
        follows_host,
    };
    Ok(Some((agent, first)))
}
