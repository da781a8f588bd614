use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::health::document::scalar::{
    Changing, Down, Fall, FirstRise, Free, Interval, Most, Rise, Window, unless,
};
use crate::health::{Damping, Pace};
use crate::table::document::mapping;
use crate::table::document::written::{Refused, Written, given};

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    interval: Option<Interval>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    changing: Option<Changing>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    down: Option<Down>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    rise: Option<Rise>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    fall: Option<Fall>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    first_rise: Option<FirstRise>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    damping: Option<Wanted>,
}

impl Written for Pace {
    const EXPECTED: &'static str = "a pace, a mapping with the keys interval, changing, down, rise, \
                                    fall, first_rise and damping";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: Shape = mapping::shape(entries)?;
        let default = Self::new();
        let pace = Self {
            interval: shape.interval.map_or(default.interval, |Interval(time)| time),
            changing: shape.changing.map_or(default.changing, |Changing(time)| time),
            down: shape.down.map_or(default.down, |Down(time)| time),
            rise: shape.rise.map_or(default.rise, |Rise(number)| number),
            fall: shape.fall.map_or(default.fall, |Fall(number)| number),
            first_rise: shape.first_rise.map_or(default.first_rise, |FirstRise(number)| number),
            damping: shape.damping.map_or(default.damping, |Wanted(damping)| damping),
        };
        pace.validate().map_err(A::Error::custom)?;
        Ok(pace)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let default = Self::new();
        Shape {
            interval: unless(default.interval, self.interval, Interval),
            changing: unless(default.changing, self.changing, Changing),
            down: unless(default.down, self.down, Down),
            rise: unless(default.rise, self.rise, Rise),
            fall: unless(default.fall, self.fall, Fall),
            first_rise: unless(default.first_rise, self.first_rise, FirstRise),
            damping: unless(default.damping, self.damping, Wanted),
        }
        .serialize(serializer)
    }
}

/// A damping, or `false`.
struct Wanted(Option<Damping>);

impl Written for Wanted {
    const EXPECTED: &'static str =
        "damping, false or a mapping with the keys window, free and most";

    fn of_truth(truth: bool) -> Result<Self, Refused> {
        Ok(Self(truth.then(Damping::new)))
    }

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        Damping::of_mapping(entries).map(|damping| Self(Some(damping)))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(damping) => damping.write(serializer),
            None => serializer.serialize_bool(false),
        }
    }
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct DampingShape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    window: Option<Window>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    free: Option<Free>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    most: Option<Most>,
}

impl Written for Damping {
    const EXPECTED: &'static str = "damping, a mapping with the keys window, free and most";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let shape: DampingShape = mapping::shape(entries)?;
        let default = Self::new();
        let damping = Self {
            window: shape.window.map_or(default.window, |Window(time)| time),
            free: shape.free.map_or(default.free, |Free(number)| number),
            most: shape.most.map_or(default.most, |Most(number)| number),
        };
        damping.validate().map_err(A::Error::custom)?;
        Ok(damping)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let default = Self::new();
        DampingShape {
            window: unless(default.window, self.window, Window),
            free: unless(default.free, self.free, Free),
            most: unless(default.most, self.most, Most),
        }
        .serialize(serializer)
    }
}
