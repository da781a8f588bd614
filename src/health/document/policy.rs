use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::scalar::{
    Hold, Hysteresis, KeepLast, Panic, Quorum, Ramp, Steps, unless,
};
use crate::health::{PoolPolicy, SlowStart, WhenDead};
use crate::table::document::LoneDestination;
use crate::table::document::mapping;
use crate::table::document::written::{Written, given, needed};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    quorum: Option<Quorum>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    hysteresis: Option<Hysteresis>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    panic: Option<Panic>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    keep_last: Option<KeepLast>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    sorry: Option<LoneDestination>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    slow_start: Option<SlowStart>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    when_dead: Option<WhenDead>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    hold: Option<Hold>,
}

impl Written for PoolPolicy {
    const EXPECTED: &'static str = "a policy, a mapping with the keys quorum, hysteresis, panic, \
                                    keep_last, sorry, slow_start, when_dead and hold";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        let default = Self::new();
        let policy = Self {
            quorum: shape.quorum.map_or(default.quorum, |Quorum(number)| number),
            hysteresis: shape.hysteresis.map_or(default.hysteresis, |Hysteresis(number)| number),
            panic: shape.panic.map_or(default.panic, |Panic(percent)| percent),
            keep_last: shape.keep_last.map_or(default.keep_last, |KeepLast(keep)| keep),
            sorry: shape.sorry.map(|LoneDestination(destination)| destination),
            slow_start: shape.slow_start,
            when_dead: shape.when_dead.unwrap_or(default.when_dead),
            hold: shape.hold.map_or(default.hold, |Hold(time)| time),
        };
        policy.validate().map_err(A::Error::custom)?;
        Ok(policy)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let default = Self::new();
        Shape {
            quorum: unless(default.quorum, self.quorum, Quorum),
            hysteresis: unless(default.hysteresis, self.hysteresis, Hysteresis),
            panic: unless(default.panic, self.panic, Panic),
            keep_last: unless(default.keep_last, self.keep_last, KeepLast),
            sorry: self.sorry.clone().map(LoneDestination),
            slow_start: self.slow_start,
            when_dead: unless(default.when_dead, self.when_dead, |when_dead| when_dead),
            hold: unless(default.hold, self.hold, Hold),
        }
        .serialize(serializer)
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct SlowStartShape {
    #[serde(with = "needed")]
    time: Ramp,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    steps: Option<Steps>,
}

impl Written for SlowStart {
    const EXPECTED: &'static str = "slow_start, a mapping with the keys time and steps";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: SlowStartShape = mapping::shape(entries)?;
        let default = Self::new(shape.time.0);
        let slow_start = shape.steps.map_or(default, |Steps(steps)| default.steps(steps));
        slow_start.validate().map_err(A::Error::custom)?;
        Ok(slow_start)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let steps = unless(Self::new(self.time).steps, self.steps, Steps);
        SlowStartShape { time: Ramp(self.time), steps }.serialize(serializer)
    }
}
