//! The rules that settings of checks and policies follow, each with the error that names it.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::health::{Combination, Damping, Pace, PoolPolicy, SlowStart, Watched};
use crate::model::{InvalidValue, ServiceId, seconds};

/// The shortest time between two things.
pub(crate) const SHORTEST: Duration = Duration::from_millis(1);

const LONGEST: Duration = Duration::from_secs(365 * 86_400);

/// The range of [`Damping::most`].
pub(crate) const DAMPED: RangeInclusive<u32> = 1..=1 << 16;

/// The range of [`SlowStart::steps`].
pub(crate) const STEPS: RangeInclusive<u32> = 2..=100;

/// Checks the time between two things, which may not be 0.
pub(crate) fn interval(field: &'static str, time: Duration) -> Result<(), InvalidValue> {
    let rule = "must be at least 1 ms and at most 365 days";
    ensure((SHORTEST..=LONGEST).contains(&time), field, || seconds::shown(time), rule)
}

/// Checks a time that may be 0.
fn span(field: &'static str, time: Duration) -> Result<(), InvalidValue> {
    ensure(time <= LONGEST, field, || seconds::shown(time), "must be at most 365 days")
}

fn at_least_one(field: &'static str, number: u32) -> Result<(), InvalidValue> {
    ensure(number >= 1, field, || number.to_string(), "must be at least 1")
}

pub(crate) fn ensure(
    holds: bool,
    field: &'static str,
    value: impl FnOnce() -> String,
    rule: &'static str,
) -> Result<(), InvalidValue> {
    if holds { Ok(()) } else { Err(InvalidValue::new(field, value(), rule)) }
}

impl Pace {
    /// Checks that every setting is in its range. What cannot fail, such as
    /// [`Monitor::watch`](crate::health::Monitor::watch), takes the nearest value of the range.
    ///
    /// # Errors
    ///
    /// - `interval`, `changing` or `down` is less than 1 ms or more than 365 days;
    /// - `rise`, `fall` or `first_rise` is 0;
    /// - the damping is [out of range](Damping::validate).
    pub fn validate(&self) -> Result<(), InvalidValue> {
        interval("interval", self.interval)?;
        interval("changing", self.changing)?;
        interval("down", self.down)?;
        at_least_one("rise", self.rise)?;
        at_least_one("fall", self.fall)?;
        at_least_one("first_rise", self.first_rise)?;
        self.damping.map_or(Ok(()), |damping| damping.validate())
    }
}

impl Damping {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    ///
    /// - `window` is less than 1 ms or more than 365 days;
    /// - `most` is not in the range of 1 to 65536.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        interval("window", self.window)?;
        ensure(DAMPED.contains(&self.most), "most", || self.most.to_string(), "must be 1 to 65536")
    }
}

impl SlowStart {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    ///
    /// - `time` is less than 1 ms or more than 365 days;
    /// - `steps` is not in the range of 2 to 100.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        interval("time", self.time)?;
        ensure(STEPS.contains(&self.steps), "steps", || self.steps.to_string(), "must be 2 to 100")
    }
}

impl PoolPolicy {
    /// Checks that every setting is in its range. What cannot fail takes the nearest value of the
    /// range.
    ///
    /// # Errors
    ///
    /// - `quorum` is 0;
    /// - `panic` is more than 100;
    /// - `slow_start` is [out of range](SlowStart::validate);
    /// - `hold` is more than 365 days;
    /// - a setting of `sorry` is one that every kernel refuses.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        at_least_one("quorum", self.quorum)?;
        ensure(self.panic <= 100, "panic", || self.panic.to_string(), "must be at most 100")?;
        span("hold", self.hold)?;
        if let Some(slow_start) = self.slow_start {
            slow_start.validate()?;
        }
        // The service is not known, so use one of the same family.
        let alone = |sorry: &crate::model::Destination| ServiceId::tcp(sorry.id.address);
        self.sorry.as_ref().map_or(Ok(()), |sorry| sorry.validate(alone(sorry)))
    }
}

impl Combination {
    /// Checks that a number of checks is not 0.
    ///
    /// # Errors
    ///
    /// The number is 0.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        ensure(*self != Self::AtLeast(0), "combination", || "0".to_owned(), "must be at least 1")
    }
}

impl<C> Watched<C> {
    /// Checks the policy, and the combinations and paces of all checks.
    ///
    /// # Errors
    ///
    /// One of them is out of range, or the service cannot have the sorry server as a destination.
    pub fn validate(&self) -> Result<(), InvalidValue> {
        self.policy.validate()?;
        if let Some(sorry) = &self.policy.sorry {
            sorry.validate(self.id())?;
        }
        self.combination.validate()?;
        self.checks_of.values().try_for_each(|otherwise| otherwise.combination.validate())?;
        self.all_checks().try_for_each(|(_, pace)| pace.validate())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Destination, Service};
    use crate::table::TableService;

    fn message(result: Result<(), InvalidValue>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn what_is_out_of_range_is_named() {
        let second = Duration::from_secs(1);
        let times = "must be at least 1 ms and at most 365 days";
        assert_eq!(Pace::new().validate(), Ok(()));
        for (pace, expected) in [
            (Pace::new().interval(Duration::ZERO), format!("interval 0s: {times}")),
            (Pace::new().changing(second / 1001), format!("changing 999µs: {times}")),
            (Pace::new().down(Duration::MAX), format!("down {:?}: {times}", Duration::MAX)),
            (Pace::new().rise(0), "rise 0: must be at least 1".to_owned()),
            (Pace::new().fall(0), "fall 0: must be at least 1".to_owned()),
            (Pace::new().first_rise(0), "first_rise 0: must be at least 1".to_owned()),
        ] {
            let message = message(pace.validate());
            assert!(message.starts_with(&expected[..6]), "{message}, {expected}");
            assert!(message.ends_with(&expected[expected.len() - 12..]), "{message}, {expected}");
        }
        let damping = |damping| message(Pace::new().damping(Some(damping)).validate());
        assert_eq!(damping(Damping::new().most(0)), "most 0: must be 1 to 65536");
        assert_eq!(damping(Damping::new().window(Duration::ZERO)), format!("window 0s: {times}"));
        let policy = PoolPolicy::new;
        assert_eq!(policy().validate(), Ok(()));
        assert_eq!(message(policy().quorum(0).validate()), "quorum 0: must be at least 1");
        assert_eq!(message(policy().panic(101).validate()), "panic 101: must be at most 100");
        let steps = policy().slow_start(Some(SlowStart::new(second).steps(1)));
        assert_eq!(message(steps.validate()), "steps 1: must be 2 to 100");
        assert!(message(policy().hold(Duration::MAX).validate()).contains("at most 365 days"));
        let sorry = Destination::masquerade("10.0.0.1:80".parse().unwrap()).weight(u32::MAX);
        assert!(message(policy().sorry(Some(sorry)).validate()).starts_with("weight 4294967295: "));
        assert_eq!(
            message(Combination::AtLeast(0).validate()),
            "combination 0: must be at least 1"
        );
    }

    #[test]
    fn a_sorry_server_must_suit_the_service() {
        let service = TableService::new(Service::tcp("192.0.2.1:80".parse().unwrap()));
        let other = Destination::masquerade("[2001:db8::2]:80".parse().unwrap());
        let policy = PoolPolicy::new().sorry(Some(other));
        assert_eq!(policy.validate(), Ok(()));
        let watched = Watched::new(service).policy(policy).check("x", Pace::new());
        assert!(message(watched.validate()).contains("family"));
    }
}
