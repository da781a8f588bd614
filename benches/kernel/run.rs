//! Runs everything and keeps the best.

use std::process::Command;

use nix::sched::{CloneFlags, CpuSet, sched_getcpu, sched_setaffinity, unshare};
use nix::unistd::Pid;

use crate::kernel::child::{self, Subject};
use crate::kernel::report::Line;
use crate::kernel::table::{Size, Workload};
use crate::kernel::{Result, ipvsadm};

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) sizes: Vec<Size>,
    pub(crate) workloads: &'static [Workload],
    pub(crate) rounds: usize,
    /// How many additions and deletions the latency is the average of.
    pairs: u32,
    /// How large a table `ipvsadm` is bothered with: it takes hundreds of times as long.
    patience: u32,
}

impl Plan {
    pub(crate) fn full() -> Self {
        Self {
            sizes: sizes(&[(1, 1000), (1000, 10), (10_000, 10)]),
            workloads: &Workload::OF_TABLES,
            rounds: 3,
            pairs: 2000,
            patience: 20_000,
        }
    }

    pub(crate) fn quick() -> Self {
        let sizes = sizes(&[(1, 1000), (1000, 10)]);
        let workloads = &Workload::OF_TABLES;
        Self { sizes, workloads, rounds: 1, pairs: 1000, patience: 2000 }
    }

    /// Whole tables of some 10,000 destinations, few to many a service, of which a
    /// snapshot reads some twice.
    pub(crate) fn sweep() -> Self {
        let mut sizes = sizes(&[
            (1000, 1),
            (1000, 10),
            (476, 21),
            (455, 22),
            (400, 25),
            (200, 50),
            (152, 66),
            (149, 67),
            (100, 100),
            (10, 1000),
        ]);
        sizes.push(Size { first: Some(100), ..Size::new(1000, 10) });
        Self { sizes, workloads: &Workload::OF_SWEEPS, rounds: 1, pairs: 10, patience: 0 }
    }

    pub(crate) fn test() -> Self {
        let mut sizes = sizes(&[(1, 30), (30, 3)]);
        sizes.push(Size { first: Some(30), ..Size::new(3, 2) });
        let workloads = &Workload::OF_TABLES;
        Self { sizes, workloads, rounds: 1, pairs: 10, patience: 2000 }
    }
}

fn sizes(sizes: &[(u32, u32)]) -> Vec<Size> {
    let size = |&(services, destinations): &_| Size::new(services, destinations);
    sizes.iter().map(size).collect()
}

pub(crate) struct Runner {
    kernel: String,
    ipvsadm: bool,
}

impl Runner {
    pub(crate) fn new() -> Result<Self> {
        // Wandering between processors costs more than what is measured.
        let mut here = CpuSet::new();
        here.set(sched_getcpu()?)?;
        sched_setaffinity(Pid::from_raw(0), &here)?;
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned();
        Ok(Self { kernel, ipvsadm: ipvsadm::is_there() })
    }

    pub(crate) fn kernel(&self) -> &str {
        &self.kernel
    }

    /// Every workload on a table of this size.
    pub(crate) fn table(&self, size: Size, plan: &Plan) -> Result<Vec<Line>> {
        let new = |workload: &_| Line::new(*workload, size);
        let mut lines: Vec<Line> = plan.workloads.iter().map(new).collect();
        for _ in 0..plan.rounds {
            once(&mut lines, Subject::Floor, time)?;
            once(&mut lines, Subject::Client, time)?;
        }
        if self.ipvsadm && Workload::Program.operations(size) <= plan.patience {
            once(&mut lines, Subject::Ipvsadm, time)?;
        }
        once(&mut lines, Subject::Floor, count)?;
        once(&mut lines, Subject::Client, count)?;
        Ok(lines)
    }

    /// One service, added and deleted.
    pub(crate) fn latency(&self, plan: &Plan) -> Result<Line> {
        let size = Size::new(plan.pairs, 0);
        let mut line = [Line::new(Workload::Latency, size)];
        for _ in 0..plan.rounds {
            once(&mut line, Subject::Floor, time)?;
            once(&mut line, Subject::Client, time)?;
        }
        once(&mut line, Subject::Floor, count)?;
        once(&mut line, Subject::Client, count)?;
        let [line] = line;
        Ok(line)
    }
}

/// Does the workloads of `lines` that `subject` does, one after the other.
fn once(
    lines: &mut [Line],
    subject: Subject,
    measure: fn(Subject, &mut Line) -> Result<()>,
) -> Result<()> {
    enter_fresh_namespace()?;
    for line in lines.iter_mut().filter(|line| line.is_done_by(subject)) {
        measure(subject, line)?;
    }
    Ok(())
}

fn time(subject: Subject, line: &mut Line) -> Result<()> {
    let sample = child::sample(subject, line.workload, line.size)?;
    line.of(subject).keep(sample);
    Ok(())
}

fn count(subject: Subject, line: &mut Line) -> Result<()> {
    line.of(subject).system_calls = Some(child::system_calls(subject, line.workload, line.size)?);
    Ok(())
}

/// In an old one the kernel walks, at every addition, through the destinations that
/// were deleted in the last minutes.
fn enter_fresh_namespace() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(|errno| format!("a network namespace: {errno}"))?;
    // Where there was never an address the kernel takes every other for a broadcast one.
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status()?;
    if up.success() { Ok(()) } else { Err("ip link set lo up failed".into()) }
}
