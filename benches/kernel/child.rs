//! One workload of one program in a process of its own, so that its peak of memory is
//! its own, too.

use std::env;
use std::io;
use std::process::Command;

use crate::kernel::meter::{Meter, Sample};
use crate::kernel::table::{Size, Workload};
use crate::kernel::{Result, client, floor, ipvsadm, tracer};

/// What tells this program that it is the child.
pub(crate) const FLAG: &str = "--child";

const TRACED: &str = "traced";

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    Floor,
    Client,
    Ipvsadm,
}

impl Subject {
    const ALL: [Self; 3] = [Self::Floor, Self::Client, Self::Ipvsadm];

    const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Client => "client",
            Self::Ipvsadm => "ipvsadm",
        }
    }
}

/// In the parent: measures a workload in the present network namespace.
pub(crate) fn sample(subject: Subject, workload: Workload, size: Size) -> Result<Sample> {
    let output = command(subject, workload, size)?.stderr(io::stderr()).output()?;
    if !output.status.success() {
        return Err(format!("{} of {}: failed", workload.name(), subject.name()).into());
    }
    String::from_utf8(output.stdout)?.parse()
}

/// In the parent: counts its system calls.
pub(crate) fn system_calls(subject: Subject, workload: Workload, size: Size) -> Result<u64> {
    let mut command = command(subject, workload, size)?;
    command.arg(TRACED);
    tracer::count(command)
}

fn command(subject: Subject, workload: Workload, size: Size) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    let numbers = [size.services, size.destinations, size.first.unwrap_or(size.destinations)];
    let numbers = numbers.map(|number| number.to_string());
    command.args([FLAG, subject.name(), workload.name()]).args(numbers);
    Ok(command)
}

/// In the child.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [subject, workload, services, destinations, first, rest @ ..] = arguments else {
        return Err("a child needs to know what to do".into());
    };
    let subject = Subject::ALL.into_iter().find(|it| it.name() == subject.as_str());
    let workload = Workload::named(workload).ok_or("no such workload")?;
    let mut size = Size::new(services.parse()?, destinations.parse()?);
    size.first = Some(first.parse()?).filter(|first| *first != size.destinations);
    let meter = Meter::new(rest.iter().any(|it| it == TRACED))?;
    let sample = match subject.ok_or("no such subject")? {
        Subject::Floor => floor::run(workload, size, meter)?,
        Subject::Client => client::run(workload, size, meter)?,
        Subject::Ipvsadm => ipvsadm::run(workload, size)?,
    };
    println!("{}", sample.to_words());
    Ok(())
}
