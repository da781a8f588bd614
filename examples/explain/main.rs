//! Says which destination the kernel chooses for a client, and why:
//! `explain 198.51.100.7 "TCP 192.0.2.10:80"`.
//!
//! Needs `CAP_NET_ADMIN` and a kernel with IPVS; `tests/kernel/run --shell` gives a shell on one.
//! See `explain --help`.

mod arguments;
mod change;
mod host;

use std::error::Error;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser;
use ipvs_netlink::Client;
use ipvs_netlink::explain::{Answer, Explanation, Missing, TableSizes, View};

use crate::arguments::Arguments;
use crate::change::Effect;

const WRONG: u8 = 2;
const UNDETERMINED: u8 = 3;
const NOWHERE: u8 = 4;
const REFUSED: u8 = 5;
const RESTLESS: u8 = 6;
/// The most last weights that are asked for.
const SUGGESTIONS: usize = 3;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Err(error) = arguments.check() {
        error.exit();
    }
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
    let (view, next, is_complete) = host::view(&mut ipvs, &attempt)?;
    if let Err(error) = check_last_weights(arguments, &view) {
        writeln!(io::stderr(), "explain: {error}").ok();
        return Ok(WRONG);
    }
    let (view, untold) = host::with_kept(view, &attempt, &mut ipvs)?;
    let mut sizes = host::table_sizes();
    sizes.source_bits = arguments.sh_bits.or(sizes.source_bits);
    sizes.maglev_index = arguments.mh_index.or(sizes.maglev_index);
    if arguments.default_tables {
        sizes.source_bits = sizes.source_bits.or(TableSizes::DEFAULT_BUILD.source_bits);
        sizes.maglev_index = sizes.maglev_index.or(TableSizes::DEFAULT_BUILD.maglev_index);
    }
    let view = view
        .table_sizes(sizes)
        .before_linux_4_18(host::has_old_hash())
        .address_is_local(host::has_address_of(&attempt))
        .client_is_local(host::is_local(attempt.client));
    let with_weight = |view: View, (id, weight): &_| view.last_weight(*id, *weight);
    let view = arguments.last_weight.iter().fold(view, with_weight);

    let told = view.explain(&attempt);
    let mut out = io::stdout().lock();
    writeln!(out, "{told}")?;
    suggest(&mut out, &view, &told)?;
    let mut is_refused = false;
    if let Some(change) = &arguments.change {
        let effect = Effect::of(change, &view, next, &attempt);
        change::tell(&mut out, change, &effect, &view, &attempt)?;
        is_refused = matches!(effect, Effect::Refused(_));
    }
    out.flush()?;
    for untold in untold {
        writeln!(io::stderr(), "explain: {untold}").ok();
    }
    if !is_complete {
        let restless = "other programs kept writing the table; destinations may be missing";
        writeln!(io::stderr(), "explain: {restless}").ok();
        return Ok(RESTLESS);
    }
    Ok(match told.answer {
        _ if is_refused => REFUSED,
        Answer::Undetermined { .. } => UNDETERMINED,
        Answer::Nowhere(_) => NOWHERE,
        _ => 0,
    })
}

/// Says how to give what is unknown.
fn suggest(out: &mut impl Write, view: &View, told: &Explanation) -> io::Result<()> {
    let Answer::Undetermined { missing, .. } = &told.answer else { return Ok(()) };
    if missing.iter().any(|it| matches!(it, Missing::TableSize(_))) {
        let assumed = view.clone().table_sizes(TableSizes::DEFAULT_BUILD).explain(&told.attempt);
        writeln!(out, "with the default table size (--default-tables) it {}", assumed.answer)?;
    }
    for missing in missing.iter().take(SUGGESTIONS) {
        if let Missing::LastWeight(id) = missing {
            writeln!(out, "to give the last weight: --last-weight {id}=WEIGHT")?;
        }
    }
    Ok(())
}

/// Refuses last weights that would have no effect.
fn check_last_weights(arguments: &Arguments, view: &View) -> Result<(), String> {
    for (id, _) in &arguments.last_weight {
        let entry = view.destinations().iter().find(|entry| entry.id() == *id);
        match entry.map(|entry| entry.destination.weight) {
            None => return Err(format!("--last-weight: the service has no destination {id}")),
            Some(0) => {}
            Some(weight) => {
                return Err(format!("--last-weight: the weight of {id} is {weight}, not 0"));
            }
        }
    }
    Ok(())
}
