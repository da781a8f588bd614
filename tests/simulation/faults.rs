//! What goes wrong, and when.

use std::time::Duration;

use crate::profile::Profile;
use crate::random::Random;

/// Something that goes wrong in the kernel, or on the way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The kernel refuses the request with this number of the next task, counted from 0.
    Errno { request: u32, errno: i32 },
    /// The acknowledgement of a request is lost.
    LostAnswer { request: u32 },
    /// The receive buffer of the client overflows.
    Overflow { request: u32 },
    /// The answer to a request is cut off.
    Truncation { request: u32 },
    /// All that the next task reads is refused.
    Unreadable,
    /// Another program writes between two requests.
    Between { request: u32 },
    /// The privilege is gone for this time.
    Denied(Duration),
    /// The module is gone for this time. Then it comes back empty, with another family id.
    Unloaded(Duration),
    /// A request takes this time.
    Latency { request: u32, time: Duration },
}

impl Fault {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Errno { .. } => "errno",
            Self::LostAnswer { .. } => "lost-answer",
            Self::Overflow { .. } => "overflow",
            Self::Truncation { .. } => "truncation",
            Self::Unreadable => "unreadable",
            Self::Between { .. } => "between",
            Self::Denied(_) => "denied",
            Self::Unloaded(_) => "unloaded",
            Self::Latency { .. } => "latency",
        }
    }
}

/// What goes wrong with a controller itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// A task is never done and never answered.
    Dropped,
    /// A task is done and never answered.
    Unanswered,
    /// A task is answered when the controller has gone on.
    Late,
    /// A task is answered twice.
    Twice,
    /// A task is answered with the answer to a task of another controller.
    Foreign,
    /// The program starts again, and knows what was formerly its own.
    Restart,
    /// The program starts again, and knows nothing.
    Amnesia,
}

impl Crash {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dropped => "dropped",
            Self::Unanswered => "unanswered",
            Self::Late => "late",
            Self::Twice => "twice",
            Self::Foreign => "foreign-answer",
            Self::Restart => "restart",
            Self::Amnesia => "amnesia",
        }
    }
}

/// Decides what goes wrong.
#[derive(Debug)]
pub(crate) struct Faults {
    random: Random,
    crashes: Random,
}

impl Faults {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            random: Random::fork(profile.seed, "faults"),
            crashes: Random::fork(profile.seed, "crashes"),
        }
    }

    pub(crate) fn pause(&mut self, longest: u32) -> Duration {
        self.random.pause(100, longest)
    }

    /// The next fault.
    pub(crate) fn next(&mut self) -> Fault {
        let random = &mut self.random;
        let request = random.pause(0, 12).as_millis();
        let request = u32::try_from(request).unwrap_or(0);
        match random.below(100) {
            0..=27 => Fault::Errno { request, errno: errno(random) },
            28..=34 => Fault::Unreadable,
            35..=49 => Fault::LostAnswer { request },
            50..=59 => Fault::Overflow { request },
            60..=69 => Fault::Truncation { request },
            70..=82 => Fault::Between { request },
            83..=87 => Fault::Denied(random.pause(10, 20_000)),
            88..=92 => Fault::Unloaded(random.pause(10, 20_000)),
            _ => Fault::Latency { request, time: random.pause(1, 6_000) },
        }
    }

    /// What goes wrong with the next task, if anything does.
    pub(crate) fn crash(&mut self) -> Option<Crash> {
        let random = &mut self.crashes;
        if !random.rarely(40) {
            return None;
        }
        Some(match random.below(100) {
            0..=19 => Crash::Dropped,
            20..=39 => Crash::Unanswered,
            40..=59 => Crash::Late,
            60..=74 => Crash::Twice,
            75..=84 => Crash::Foreign,
            85..=94 => Crash::Restart,
            _ => Crash::Amnesia,
        })
    }
}

/// An error that this kernel gives, or that no request here gets from a sound one.
fn errno(random: &mut Random) -> i32 {
    use rustix_errno::{EEXIST, EINVAL, ENOENT, ENOMEM, ESRCH};
    random.one([EINVAL, ENOENT, EEXIST, ENOMEM, ESRCH])
}

/// The numbers of errors on Linux.
mod rustix_errno {
    pub(super) const ENOENT: i32 = 2;
    pub(super) const ESRCH: i32 = 3;
    pub(super) const ENOMEM: i32 = 12;
    pub(super) const EEXIST: i32 = 17;
    pub(super) const EINVAL: i32 = 22;
}

/// The names of all faults and crashes.
pub(crate) const NAMES: &[&str] = &[
    "errno",
    "lost-answer",
    "overflow",
    "truncation",
    "unreadable",
    "between",
    "denied",
    "unloaded",
    "latency",
    "dropped",
    "unanswered",
    "late",
    "twice",
    "foreign-answer",
    "restart",
    "amnesia",
];
