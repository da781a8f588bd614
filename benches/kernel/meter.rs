//! What a process used while it worked.

use std::fs;
use std::str::FromStr;
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::signal::{Signal, raise};
use nix::sys::time::TimeVal;

use crate::kernel::Result;

/// What one run of a workload took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) wall: Duration,
    pub(crate) user: Duration,
    pub(crate) kernel: Duration,
    /// The peak of the process's memory, with start-up.
    pub(crate) peak_kib: Option<u64>,
}

/// Measures a piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Meter {
    traced: bool,
}

impl Meter {
    /// With `traced` the parent is told where the work begins and ends, so that it
    /// can count system calls; times mean nothing then.
    pub(crate) fn new(traced: bool) -> Result<Self> {
        if traced {
            ptrace::traceme()?;
        }
        Ok(Self { traced })
    }

    pub(crate) fn measure(self, work: impl FnOnce() -> Result<()>) -> Result<Sample> {
        let who = UsageWho::RUSAGE_SELF;
        let before = getrusage(who)?;
        let start = Instant::now();
        // Twice: the first piece, in which nothing happens, is what telling costs.
        self.tell()?;
        self.tell()?;
        work()?;
        self.tell()?;
        let wall = start.elapsed();
        let used = Used::between(&before, &getrusage(who)?);
        Ok(Sample { wall, user: used.user, kernel: used.kernel, peak_kib: Some(peak_kib()?) })
    }

    /// Of a child that `work` starts and waits for: all of it, except its memory, which is
    /// gone with it.
    pub(crate) fn measure_child(work: impl FnOnce() -> Result<()>) -> Result<Sample> {
        let start = Instant::now();
        work()?;
        let wall = start.elapsed();
        let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
        let (user, kernel) = (duration(usage.user_time()), duration(usage.system_time()));
        Ok(Sample { wall, user, kernel, peak_kib: None })
    }

    fn tell(self) -> Result<()> {
        if self.traced {
            raise(Signal::SIGSTOP)?;
        }
        Ok(())
    }
}

struct Used {
    user: Duration,
    kernel: Duration,
}

impl Used {
    fn between(before: &Usage, after: &Usage) -> Self {
        Self {
            user: duration(after.user_time() - before.user_time()),
            kernel: duration(after.system_time() - before.system_time()),
        }
    }
}

fn duration(time: TimeVal) -> Duration {
    let seconds = Duration::from_secs(time.tv_sec().try_into().unwrap_or(0));
    seconds + Duration::from_micros(time.tv_usec().try_into().unwrap_or(0))
}

/// Unlike getrusage's, it does not count what ran before exec.
fn peak_kib() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.ok_or("/proc/self/status has no VmHWM")?.parse()?)
}

/// From one process to the other.
impl Sample {
    pub(crate) fn to_words(self) -> String {
        let Self { wall, user, kernel, peak_kib } = self;
        let times = [wall, user, kernel].map(|time| time.as_nanos().to_string());
        let peak = peak_kib.map(|peak| peak.to_string());
        times.into_iter().chain(peak).collect::<Vec<_>>().join(" ")
    }
}

impl FromStr for Sample {
    type Err = Box<dyn std::error::Error>;

    fn from_str(words: &str) -> Result<Self> {
        let numbers: Vec<u64> =
            words.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [wall, user, kernel, ref peak @ ..] = *numbers.as_slice() else {
            return Err("a child reported something else than a sample".into());
        };
        let [wall, user, kernel] = [wall, user, kernel].map(Duration::from_nanos);
        Ok(Self { wall, user, kernel, peak_kib: peak.first().copied() })
    }
}
