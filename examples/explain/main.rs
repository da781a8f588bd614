//! Says which destination the kernel chooses for a client, and why:
//! `explain 198.51.100.7 "TCP 192.0.2.10:80"`.
//!
//! Needs `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives a shell on one.
//! See `explain --help`.

mod arguments;
mod host;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use ipvs_netlink::explain::{Answer, Attempt, Explanation, Missing, Tables, View};
use ipvs_netlink::{Client, Service};

use crate::arguments::Arguments;

const UNDETERMINED: u8 = 3;
const NOWHERE: u8 = 4;
const RESTLESS: u8 = 6;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(code) => ExitCode::from(code),
        // The reader of standard output has closed it, as `head` does.
        Err(error) if is_broken_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            writeln!(io::stderr(), "explain: {error}").ok();
            ExitCode::FAILURE
        }
    }
}

fn is_broken_pipe(error: &(dyn Error + 'static)) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

fn run(arguments: &Arguments) -> Result<u8, Box<dyn Error>> {
    if let Some(namespace) = &arguments.namespace {
        host::enter(namespace)?;
    }
    let attempt = arguments.attempt();
    let mut ipvs = Client::connect()?;
    let (view, is_complete) = host::view(&mut ipvs, &attempt)?;
    let (view, untold) = host::with_connections(view, &attempt);
    let mut tables = host::tables();
    tables.source_bits = arguments.sh_bits.or(tables.source_bits);
    tables.maglev_index = arguments.mh_index.or(tables.maglev_index);
    if arguments.default_tables {
        tables.source_bits = tables.source_bits.or(Tables::DEFAULT_BUILD.source_bits);
        tables.maglev_index = tables.maglev_index.or(Tables::DEFAULT_BUILD.maglev_index);
    }
    let view = view
        .tables(tables)
        .before_linux_4_18(host::has_old_hash())
        .address_is_local(host::is_local(&attempt));
    let with_weight = |view: View, (id, weight): &_| view.last_weight(*id, *weight);
    let view = arguments.last_weight.iter().fold(view, with_weight);

    let told = view.explain(&attempt);
    let mut out = io::stdout().lock();
    writeln!(out, "{told}")?;
    suggest(&mut out, &view, &told)?;
    if let Some(change) = &arguments.change {
        let after = view.after(change);
        if after == view {
            writeln!(out, "if {change}\n  nothing changes for this service")?;
        } else {
            what_if(&mut out, &view, &after, &attempt, &change.to_string())?;
        }
    }
    out.flush()?;
    if let Some(untold) = untold {
        writeln!(io::stderr(), "explain: {untold}").ok();
    }
    if !is_complete {
        let restless = "other programs kept writing the table; destinations may be missing";
        writeln!(io::stderr(), "explain: {restless}").ok();
        return Ok(RESTLESS);
    }
    Ok(match told.answer {
        Answer::Undetermined { .. } => UNDETERMINED,
        Answer::Nowhere(_) => NOWHERE,
        _ => 0,
    })
}

/// Says the answer for a kernel with the default table sizes, if the size is unknown.
fn suggest(out: &mut impl Write, view: &View, told: &Explanation) -> io::Result<()> {
    let Answer::Undetermined { missing, .. } = &told.answer else { return Ok(()) };
    if missing.iter().any(|it| matches!(it, Missing::TableSize(_))) {
        let assumed = view.clone().tables(Tables::DEFAULT_BUILD).explain(&told.attempt);
        writeln!(out, "with the default table size (--default-tables): {}", assumed.answer)?;
    }
    Ok(())
}

/// Says what a change does to the clients, and to this one.
fn what_if(
    out: &mut impl Write,
    view: &View,
    after: &View,
    attempt: &Attempt,
    change: &str,
) -> io::Result<()> {
    let then = after.explain(attempt);
    writeln!(out, "if {change}\n  the client goes to {}", then.answer)?;
    match view.moves(after) {
        Some(moves) => writeln!(out, "  {moves}"),
        None => {
            let scheduler = |service: &Service| service.scheduler.to_string();
            let scheduler = view.service().map(scheduler).unwrap_or_default();
            writeln!(out, "  how many clients move is not known ({scheduler})")
        }
    }
}
