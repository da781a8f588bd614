//! Telling a program of each exchange with the kernel.

use std::fmt;
use std::time::{Duration, Instant};

use crate::error::{Context, Error};
use crate::model::{Change, Object, Operation};

/// One request to the kernel, and what became of it. An
/// [observer](crate::Client::observe) is called with each.
///
/// A request that could not be sent is one too, with 0 bytes and the cause. What was not tried, such
/// as the rest of the changes after that, is none.
///
/// Changes that [`submit`](crate::Client::submit) sends together are one exchange each. They share
/// the time and the bytes: see [`together`](Self::together).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exchange<'a> {
    /// What was asked for.
    pub operation: Operation,
    /// What it was about. `None` for requests about the whole table.
    pub object: Option<Object>,
    /// The change with its settings, for a write. It prints as the `ipvsadm` command.
    pub change: Option<&'a Change>,
    /// The requests of the same system call, this one included.
    pub together: usize,
    /// The bytes that were sent for all requests of the system call. 0 if sending has failed.
    pub sent: usize,
    /// The bytes that were received in answer to them.
    pub received: usize,
    /// The entries of a list that were read. `None` for other requests.
    pub entries: Option<usize>,
    /// What became of the request.
    pub result: Result<(), &'a Error>,
    /// The time from sending to the last answer, by the monotonic clock. While a program reads a
    /// stream, this includes the time between its readings.
    pub took: Duration,
}

impl fmt::Display for Exchange<'_> {
    /// One line: `add service TCP 192.0.2.10:80 = ok <0.000035 s> sent 96, received 36 bytes`, with the number
    /// of entries of a list, `= 3 entries`, or the cause of a failure.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(object) = &self.object {
            write!(f, " {object}")?;
        }
        match (self.result, self.entries) {
            (Err(error), _) => write!(f, " = {}", error.kind())?,
            (Ok(()), Some(1)) => f.write_str(" = 1 entry")?,
            (Ok(()), Some(entries)) => write!(f, " = {entries} entries")?,
            (Ok(()), None) => f.write_str(" = ok")?,
        }
        write!(f, " <{:.6} s> ", self.took.as_secs_f64())?;
        write!(f, "sent {}, received {} bytes", self.sent, self.received)?;
        match self.together {
            0 | 1 => Ok(()),
            together => write!(f, " for {together} together"),
        }
    }
}

/// The function of a program that is called with each exchange.
pub(crate) type Observe = Box<dyn FnMut(&Exchange<'_>) + Send + Sync>;

/// The observer of an engine, if it has one.
#[derive(Default)]
pub(crate) struct Observer(Option<Observe>);

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}

/// The bytes that have gone over a link. The numbers wrap around.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    pub(super) sent: usize,
    pub(super) received: usize,
}

/// When an exchange began, and what had gone over the link by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) at: Instant,
    pub(super) traffic: Traffic,
}

impl Begun {
    /// Returns what an exchange has taken that ends now.
    pub(super) fn until(self, now: Self) -> Taken {
        Taken {
            time: now.at.saturating_duration_since(self.at),
            traffic: Traffic {
                sent: now.traffic.sent.wrapping_sub(self.traffic.sent),
                received: now.traffic.received.wrapping_sub(self.traffic.received),
            },
            entries: None,
        }
    }
}

/// What an exchange has taken.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    time: Duration,
    traffic: Traffic,
    /// The entries of a list that were read.
    pub(super) entries: Option<usize>,
}

impl Observer {
    pub(crate) fn set(&mut self, observe: Option<Observe>) {
        self.0 = observe;
    }

    /// Returns `true` if somebody wants to know of exchanges.
    #[inline]
    pub(super) const fn is_set(&self) -> bool {
        self.0.is_some()
    }

    /// Tells of a request that was sent alone.
    pub(super) fn tell(&mut self, context: Context, taken: Taken, result: Result<(), &Error>) {
        self.tell_one(context, None, 1, taken, result);
    }

    /// Tells of one of the changes that were sent together.
    pub(super) fn tell_change(
        &mut self,
        change: &Change,
        together: usize,
        taken: Taken,
        result: Result<(), &Error>,
    ) {
        self.tell_one(Context::of(change), Some(change), together, taken, result);
    }

    fn tell_one(
        &mut self,
        Context { operation, object }: Context,
        change: Option<&Change>,
        together: usize,
        taken: Taken,
        result: Result<(), &Error>,
    ) {
        let Some(observe) = &mut self.0 else { return };
        let Taken { time: took, traffic: Traffic { sent, received }, entries } = taken;
        observe(&Exchange {
            operation,
            object,
            change,
            together,
            sent,
            received,
            entries,
            result,
            took,
        });
    }
}
