//! Reads and writes values of a document. Errors name the field and its rule.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::InvalidValue;

/// The longest value or key, in bytes. No valid value or key is as long. Errors quote the text,
/// escapes make the quote longer, and formats copy errors, so a longer text could take much memory.
pub(crate) const LONGEST: usize = 255;

/// A value of a document. The type implements a method for each kind of value that it accepts. The
/// default methods refuse the other kinds as values of the wrong type.
///
/// Reading calls `deserialize_any`. If it asked the format for a type, the format would refuse
/// other types with an error of its own, which names neither field nor rule. Mappings are read
/// while the format visits them, so that the format can add the line to an error.
pub(crate) trait Written: Sized {
    /// The field and the values that it accepts, as in "expected weight, a whole number".
    const EXPECTED: &'static str;

    /// The longest text, in bytes.
    const LONGEST: usize = LONGEST;

    fn of_text(_text: &str) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    fn of_number(_number: i128) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    fn of_truth(_truth: bool) -> Result<Self, Refused> {
        Err(Refused::Type)
    }

    fn of_list<'de, A: SeqAccess<'de>>(_list: A) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Seq, &Self::EXPECTED))
    }

    fn of_mapping<'de, A: MapAccess<'de>>(_mapping: A) -> Result<Self, A::Error> {
        Err(A::Error::invalid_type(Unexpected::Map, &Self::EXPECTED))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;
}

/// The reason why a value is refused.
pub(crate) enum Refused {
    Type,
    Value,
    Rule(InvalidValue),
}

impl From<InvalidValue> for Refused {
    fn from(invalid: InvalidValue) -> Self {
        Self::Rule(invalid)
    }
}

impl Refused {
    fn error<F: Written, E: Error>(self, unexpected: Unexpected<'_>) -> E {
        match self {
            Self::Type => E::invalid_type(unexpected, &F::EXPECTED),
            Self::Value => E::invalid_value(unexpected, &F::EXPECTED),
            Self::Rule(invalid) => E::custom(invalid),
        }
    }
}

/// Reads a value.
pub(crate) fn read<'de, D: Deserializer<'de>, F: Written>(deserializer: D) -> Result<F, D::Error> {
    deserializer.deserialize_any(Reader(PhantomData))
}

pub(crate) struct Reader<F>(PhantomData<F>);

impl<F> Reader<F> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, F: Written> Visitor<'de> for Reader<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(F::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<F, E> {
        if text.len() > F::LONGEST {
            return Err(E::invalid_length(text.len(), &F::EXPECTED));
        }
        F::of_text(text).map_err(|refused| refused.error::<F, E>(Unexpected::Str(text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<F, E> {
        let unexpected = Unexpected::Unsigned(number);
        F::of_number(number.into()).map_err(|refused| refused.error::<F, E>(unexpected))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<F, E> {
        let unexpected = Unexpected::Signed(number);
        F::of_number(number.into()).map_err(|refused| refused.error::<F, E>(unexpected))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<F, E> {
        // A YAML parser reads `010` as 10.0. The message must not show a number that the text does
        // not have.
        let unexpected = match number.fract() == 0.0 {
            true => Unexpected::Other("a number with a point, an exponent or leading zeros"),
            false => Unexpected::Float(number),
        };
        Err(E::invalid_type(unexpected, &F::EXPECTED))
    }

    fn visit_unit<E: Error>(self) -> Result<F, E> {
        Err(E::invalid_type(Unexpected::Other("null"), &F::EXPECTED))
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<F, E> {
        F::of_truth(truth).map_err(|refused| refused.error::<F, E>(Unexpected::Bool(truth)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<F, A::Error> {
        F::of_list(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mapping: A) -> Result<F, A::Error> {
        F::of_mapping(mapping)
    }
}

/// Implements the traits of serde for a [`Written`] value.
pub(crate) struct AsWritten<F>(pub(crate) F);

impl<'de, F: Written> Deserialize<'de> for AsWritten<F> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        read(deserializer).map(Self)
    }
}

impl<F: Written> Serialize for AsWritten<&F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// Reads and writes required fields: `#[serde(with = "needed")]`.
pub(crate) mod needed {
    use super::{Deserializer, Serializer, Written};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, F: Written>(
        deserializer: D,
    ) -> Result<F, D::Error> {
        super::read(deserializer)
    }

    pub(crate) fn serialize<S: Serializer, F: Written>(
        value: &F,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.write(serializer)
    }
}

/// Reads and writes optional fields: `#[serde(default, with = "given")]`. A null is refused as a
/// value of the wrong type, because a template writes a null for a variable that is not set.
pub(crate) mod given {
    use super::{Deserializer, Serializer, Written};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>, F: Written>(
        deserializer: D,
    ) -> Result<Option<F>, D::Error> {
        super::read(deserializer).map(Some)
    }

    pub(crate) fn serialize<S: Serializer, F: Written>(
        value: &Option<F>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}
