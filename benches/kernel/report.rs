//! What was measured, as text or as JSON.

use std::time::Duration;

use crate::kernel::child::Subject;
use crate::kernel::meter::Sample;
use crate::kernel::table::{Size, Workload};

/// A workload with what each took for it.
pub(crate) struct Line {
    pub(crate) workload: Workload,
    pub(crate) size: Size,
    floor: Measured,
    client: Measured,
    ipvsadm: Measured,
}

/// What one took.
#[derive(Clone, Copy, Default)]
pub(crate) struct Measured {
    /// The fastest run.
    best: Option<Sample>,
    pub(crate) system_calls: Option<u64>,
}

impl Measured {
    pub(crate) fn keep(&mut self, sample: Sample) {
        if self.best.is_none_or(|best| sample.wall < best.wall) {
            self.best = Some(sample);
        }
    }

    fn wall(&self) -> Option<Duration> {
        self.best.map(|best| best.wall)
    }
}

impl Line {
    pub(crate) fn new(workload: Workload, size: Size) -> Self {
        let [floor, client, ipvsadm] = [Measured::default(); 3];
        Self { workload, size, floor, client, ipvsadm }
    }

    pub(crate) fn is_done_by(&self, subject: Subject) -> bool {
        subject != Subject::Ipvsadm || matches!(self.workload, Workload::Program | Workload::List)
    }

    pub(crate) fn of(&mut self, subject: Subject) -> &mut Measured {
        match subject {
            Subject::Floor => &mut self.floor,
            Subject::Client => &mut self.client,
            Subject::Ipvsadm => &mut self.ipvsadm,
        }
    }

    /// How many times as long as the floor `measured` took.
    fn ratio(&self, measured: &Measured) -> Option<f64> {
        Some(measured.wall()?.as_secs_f64() / self.floor.wall()?.as_secs_f64())
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Format {
    Text,
    Json,
}

impl Format {
    pub(crate) fn begin(self, kernel: &str) {
        if let Self::Text = self {
            println!("Linux {kernel}; the fastest runs; times in ms, memory in MiB");
            println!(
                "{:8} {:>11} {:>7} {:>7} {:>8} {:>8} {:>8} {:>6} {:>6} | {:>8} {:>7} {:>6} | {:>8}",
                "workload",
                "table",
                "objects",
                "calls",
                "time",
                "user",
                "kernel",
                "memory",
                "ratio",
                "floor",
                "calls",
                "memory",
                "ipvsadm",
            );
        }
    }

    pub(crate) fn line(self, line: &Line, kernel: &str) {
        match self {
            Self::Text => println!("{}", text(line)),
            Self::Json => println!("{}", json(line, kernel)),
        }
    }
}

fn text(line: &Line) -> String {
    let Line { workload, size, floor, client, ipvsadm } = line;
    let table = match workload {
        Workload::Latency => format!("{} pairs", size.services),
        _ => match size.first {
            Some(first) => format!("1x{first}+{}x{}", size.services - 1, size.destinations),
            None => format!("{} x {}", size.services, size.destinations),
        },
    };
    let best = |measured: &Measured, time: fn(Sample) -> Duration| {
        measured.best.map_or_else(String::new, |it| format!("{:.1}", time(it).as_secs_f64() * 1e3))
    };
    let memory = |measured: &Measured| {
        let peak = measured.best.and_then(|it| it.peak_kib);
        peak.map_or_else(String::new, |it| format!("{}.{}", it / 1024, it % 1024 * 10 / 1024))
    };
    let calls =
        |measured: &Measured| measured.system_calls.map_or_else(String::new, |it| it.to_string());
    let ratio = |measured: &Measured| {
        line.ratio(measured).map_or_else(String::new, |it| format!("{it:.2}"))
    };
    format!(
        "{:8} {table:>11} {:>7} {:>7} {:>8} {:>8} {:>8} {:>6} {:>6} | {:>8} {:>7} {:>6} | {:>8}",
        workload.name(),
        workload.operations(*size),
        calls(client),
        best(client, |it| it.wall),
        best(client, |it| it.user),
        best(client, |it| it.kernel),
        memory(client),
        ratio(client),
        best(floor, |it| it.wall),
        calls(floor),
        memory(floor),
        ratio(ipvsadm),
    )
}

fn json(line: &Line, kernel: &str) -> String {
    let Line { workload, size, floor, client, ipvsadm } = line;
    let of = |measured: &Measured| {
        let Some(Sample { wall, user, kernel, peak_kib }) = measured.best else {
            return "null".to_owned();
        };
        let [wall, user, kernel] = [wall, user, kernel].map(|time| time.as_micros());
        let number = |it: Option<u64>| it.map_or_else(|| "null".to_owned(), |it| it.to_string());
        let (peak, calls) = (number(peak_kib), number(measured.system_calls));
        let ratio = line.ratio(measured).unwrap_or_default();
        format!(
            r#"{{"wall_us":{wall},"user_us":{user},"kernel_us":{kernel},"peak_kib":{peak},"system_calls":{calls},"ratio":{ratio:.3}}}"#
        )
    };
    format!(
        r#"{{"workload":"{}","services":{},"destinations":{},"first":{},"operations":{},"client":{},"floor":{},"ipvsadm":{},"kernel":"{kernel}"}}"#,
        workload.name(),
        size.services,
        size.destinations,
        size.first.unwrap_or(size.destinations),
        workload.operations(*size),
        of(client),
        of(floor),
        of(ipvsadm),
    )
}
