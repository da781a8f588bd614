//! Workloads on a real kernel, beside the least that any client could do.
//!
//! `cargo bench --bench kernel` runs it on a kernel that has IPVS. See
//! `benches/README.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program reports on them")]

use std::env;
use std::process::ExitCode;

use crate::kernel::child;
use crate::kernel::report::{Format, Line};
use crate::kernel::run::{Plan, Runner};

mod kernel {
    //! The parts of the benchmark.

    pub(crate) mod child;
    pub(crate) mod client;
    pub(crate) mod floor;
    pub(crate) mod ipvsadm;
    pub(crate) mod meter;
    pub(crate) mod report;
    pub(crate) mod run;
    pub(crate) mod table;
    pub(crate) mod tracer;

    pub(crate) type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
}

const USAGE: &str = "\
usage: cargo bench --bench kernel -- [--quick|--sweep] [--json] [--rounds COUNT] [--test]
  --quick         1 x 1,000 and 1,000 x 10 only, one round
  --sweep         snapshots of tables with 1 to 1,000 destinations a service
  --json          one JSON object per line
  --rounds COUNT  how often each is measured; the fastest counts (default: 3)
  --test          small tables, once, only to see that it works";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let outcome = match arguments.as_slice() {
        [first, rest @ ..] if first == child::FLAG => child::run(rest),
        // For those who collect tests: this has none.
        all if all.iter().any(|it| it == "--list") => Ok(()),
        all => match options(all) {
            Some((plan, format)) => benchmark(&plan, format),
            None => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        },
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kernel: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo bench` adds `--bench`; without it this is `cargo test`, which may pass on
/// what is meant for other tests.
fn options(arguments: &[String]) -> Option<(Plan, Format)> {
    let has = |name| arguments.iter().any(|it| it == name);
    let testing = has("--test") || !has("--bench");
    let mut plan = match (has("--quick"), has("--sweep")) {
        _ if testing => Plan::test(),
        (_, true) => Plan::sweep(),
        (true, _) => Plan::quick(),
        _ => Plan::full(),
    };
    let mut format = Format::Text;
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            "--bench" | "--test" | "--quick" | "--sweep" => {}
            "--json" => format = Format::Json,
            "--rounds" => plan.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
            _ if testing => {}
            _ => return None,
        }
    }
    Some((plan, format))
}

fn benchmark(plan: &Plan, format: Format) -> kernel::Result<()> {
    let runner = Runner::new()?;
    format.begin(runner.kernel());
    for size in &plan.sizes {
        for line in runner.table(*size, plan)? {
            format.line(&line, runner.kernel());
        }
    }
    let line: Line = runner.latency(plan)?;
    format.line(&line, runner.kernel());
    Ok(())
}
