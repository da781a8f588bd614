//! `node-proxy run`: watches the cluster and keeps the table of the node.
//!
//! `Agent` is the loop (`keeping`): it waits, converts, does what `Order` has decided (`applying`), and passes on what
//! the controller tells (`telling`). `beginning` comes before it. Everything on the node beside
//! the table is behind `Hooks`, whose methods are called in this order:
//!
//! | when | method of `Hooks` | such as |
//! | --- | --- | --- |
//! | all caches are complete, and nothing is written | `start` | refuse to start; settings of the kernel; remove stale addresses; the first firewall |
//! | there is nothing to do | `wait` | take in what watches tell; the end of a run of `nft` |
//! | the conversion changed | `changed` | facts for the firewall, health ports and metrics |
//! | before a virtual service is wished | `verdict` | refuse it, or hold it until the firewall has it |
//! | the wishes of a round are made | `wished` | metrics |
//! | before virtual services leave | `remove_addresses` | the dummy interface |
//! | virtual services serve | `add_addresses` | the dummy interface |
//! | the controller tells an event | `event` | metrics; connections of removed endpoints; the firewall, when a service has left |
//! | the controller was stepped | `stepped` | health and metrics |
//! | a time that `next` has named has come | `pass` | look whether addresses and firewall are still there |
//! | the program ends | `end` | health and metrics close their ports; `nft` is killed; the condition of the node |
//!
//! `Checks` stands between `Order` and the controller: what it watches is wished as the checks say.
//!
//! Nothing of this waits for long: a request to the kernel is done when it is sent, and `nft` runs beside the loop. On a
//! signal the loop is dropped where it waits. What it leaves undone is what a program that is killed leaves, and the
//! next one does.
//!
//! The order of one round is `changed`, `remove_addresses`, the wishes, the step of the controller, `event` for
//! each event, `add_addresses`, `stepped`. The module `order` decides it without a clock and a socket, and its
//! tests step it.

mod addresses;
mod applying;
mod arguments;
mod beginning;
mod completeness;
mod dry_run;
mod ending;
mod explaining;
mod failure;
mod hooks;
mod incoming;
mod keeping;
mod order;
pub(crate) mod owned;
mod reporting;
mod reports;
pub(crate) mod schedulers;
mod telling;
#[cfg(test)]
mod tests;
mod undecided;
mod unserved;
mod wishing;

use ipvs_netlink::table::controller::Controller;
use ipvs_netlink::tokio::Client;
use tokio::runtime::Builder;

pub use self::arguments::RunArguments;
use self::completeness::Completeness;
use self::ending::Ending;
use self::failure::Failure;
use self::hooks::Hooks;
use self::incoming::Incoming;
use self::order::Order;
use self::owned::Owned;
use self::schedulers::Schedulers;
use self::undecided::Undecided;
use self::wishing::Wishing;
use crate::checks::Checks;
use crate::cluster::TableCondition;
use crate::exit::Exit;
use crate::log;

/// Keeps the table until SIGTERM or SIGINT, and leaves it as it is then.
#[must_use]
pub fn run(arguments: &RunArguments) -> Exit {
    log::begin();
    let ran = Builder::new_current_thread().enable_all().build().map_err(Failure::System);
    let ran = ran.and_then(|runtime| {
        let ran = runtime.block_on(run_agent(arguments));
        // A lookup of a name or a program that gives credentials may be under way.
        runtime.shutdown_background();
        ran
    });
    let exit = match ran {
        Ok(()) => Exit::Done,
        Err(failure) => {
            log::line(format_args!("node-proxy: {failure}"));
            failure.exit()
        }
    };
    log::end();
    exit
}

async fn run_agent(arguments: &RunArguments) -> Result<(), Failure> {
    let mut ending = Ending::new()?;
    let mut condition = TableCondition::default();
    let begun = match ending.or(beginning::begin(arguments, &mut condition)).await {
        Some(begun) => begun,
        None if arguments.ends_by_itself() => Err(Failure::Interrupted),
        None => Ok(None),
    };
    let (mut agent, first) = match begun {
        Ok(Some(begun)) => begun,
        ended => {
            condition.end().await;
            return ended.map(drop);
        }
    };
    let failed = ending.or(agent.keep(arguments, first)).await.transpose();
    agent.owned.end();
    agent.hooks.end().await;
    failed.map(drop)
}

/// The loop, and what it keeps.
struct Agent {
    ipvs: Client,
    incoming: Incoming,
    controller: Controller,
    hooks: Hooks,
    order: Order,
    undecided: Undecided,
    completeness: Completeness,
    checks: Checks,
    /// The addresses of the node are those of its interfaces.
    follows_host: bool,
    owned: Owned,
    schedulers: Schedulers,
    wishing: Wishing,
}
