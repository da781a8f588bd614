//! What the director says of the destinations that it checks. `examples/director/PROTOCOL.md` is its
//! protocol.

mod answer;
mod status;

use std::time::{Duration, SystemTime};

use ipvs_netlink::{DestinationId, ServiceId};

pub use answer::{Answer, AnswerError};
pub use status::{Destination, DestinationState, Kind, Maintenance, Service, Status};

use crate::Moment;

/// How long a director is expected back that does not listen any more.
const RESTART: Duration = Duration::from_secs(60);

/// What is known of the director.
#[derive(Clone, Debug, Default)]
pub enum Director {
    /// It has not answered yet, or nobody asked.
    #[default]
    Unknown,
    /// No director answers on its socket, for this reason.
    Absent(String),
    /// The director that listens on the socket is in another network namespace.
    Elsewhere,
    /// It answered, and does not any more, for this reason. Its last status is kept.
    Silent {
        /// The last status, and when it came.
        last: Option<(Moment, Status)>,
        /// The reason.
        reason: String,
    },
    /// Its latest status, and when it came.
    Present(Moment, Status),
}

impl Director {
    /// Takes a status, or why there is none. Returns the former status if there is a new one.
    pub fn push(&mut self, at: Moment, news: Result<Status, Absence>) -> Option<Status> {
        let former = match std::mem::take(self) {
            Self::Present(at, status) => Some((at, status)),
            Self::Silent { last, .. } => last,
            Self::Unknown | Self::Absent(_) | Self::Elsewhere => None,
        };
        match news {
            Ok(status) => {
                *self = Self::Present(at, status);
                return former.map(|(_, status)| status);
            }
            // One that has just been there is probably being started again.
            Err(Absence::NoSocket(reason))
                if former.as_ref().is_some_and(|(last, _)| at.since(last) < RESTART) =>
            {
                *self = Self::Silent { last: former, reason };
            }
            Err(Absence::Elsewhere) => *self = Self::Elsewhere,
            Err(Absence::NoSocket(reason)) => *self = Self::Absent(reason),
            Err(Absence::Failed(reason)) => *self = Self::Silent { last: former, reason },
        }
        None
    }

    /// The latest status.
    #[must_use]
    pub const fn status(&self) -> Option<&Status> {
        match self {
            Self::Present(_, status) | Self::Silent { last: Some((_, status)), .. } => Some(status),
            _ => None,
        }
    }

    /// What the director says of a service.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> Option<&Service> {
        self.status()?.services.get(&id)
    }

    /// What the director says of a destination.
    #[must_use]
    pub fn destination(&self, service: ServiceId, id: DestinationId) -> Option<&Destination> {
        self.service(service)?.destination(id)
    }
}

/// Why there is no status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Nobody listens.
    NoSocket(String),
    /// The one that listens is in another network namespace than the table.
    Elsewhere,
    /// Somebody listens, or nobody may ask, and there is no answer.
    Failed(String),
}

impl std::fmt::Display for Absence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoSocket(reason) => write!(f, "no director listens on its socket: {reason}"),
            Self::Elsewhere => f.write_str("the director keeps the table of another namespace"),
            Self::Failed(reason) => write!(f, "no answer from the director: {reason}"),
        }
    }
}

/// Tells how long a time is to come, or 0.
pub(crate) fn left(until: SystemTime, now: SystemTime) -> Duration {
    until.duration_since(now).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_director_that_is_gone_is_expected_back_for_a_minute() {
        let begun = Moment::now();
        let gone = || Err(Absence::NoSocket("connection refused".to_owned()));
        let at = |seconds| begun.after(Duration::from_secs(seconds));
        let mut director = Director::default();
        director.push(begun, gone());
        assert!(matches!(director, Director::Absent(_)));
        director.push(begun, Ok(Status::default()));
        for (seconds, is_silent) in [(2, true), (59, true), (60, false), (62, false)] {
            director.push(at(seconds), gone());
            assert_eq!(matches!(director, Director::Silent { .. }), is_silent, "{seconds}");
        }
        director.push(at(70), Ok(Status::default()));
        director.push(at(200), Err(Absence::Failed("too slow".to_owned())));
        assert!(matches!(director, Director::Silent { last: Some(_), .. }));
    }
}
