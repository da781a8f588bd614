//! What a process has cost.

use std::fs;

/// What a process has cost so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// Processor time in seconds.
    pub(crate) seconds: f64,
    /// The largest memory in MB.
    pub(crate) peak: f64,
}

impl Cost {
    /// Reads the cost of a process that runs.
    pub(crate) fn of(process: u32) -> Self {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
        let fields: Vec<_> = stat.rsplit(") ").next().unwrap().split(' ').collect();
        // Ticks in user space and in the kernel. User-mode Linux does not tell them apart well.
        let ticks: f64 = [11, 12].map(|field| fields[field].parse::<f64>().unwrap()).iter().sum();
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        let kibibytes: f64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
        Self { seconds: ticks / 100.0, peak: kibibytes / 1024.0 }
    }
}
