//! Reading and writing a value of a document, with errors that name the field and its rule.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::model::InvalidValue;

/// More bytes than a value or key has. Errors quote them, formats copy errors, and escapes
/// multiply what they stand for: of a long text that would take much memory.
pub(super) const LONGEST: usize = 255;

/// A value with a form in text. It reads itself from whichever kinds it takes; the
/// others are of the wrong type.
///
/// Reading asks the format what is there, not for a type: formats answer the latter
/// with errors of their own, which know neither field nor rule. Mappings are read
/// within the format's visit, so that it can say on which line they fail.
pub(super) trait Written: Sized {
    /// The field and what it may be, as in "expected weight, a whole number".
    const EXPECTED: &'static str;

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

/// Why a value cannot be read.
pub(super) enum Refused {
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

/// Reads a form.
pub(super) fn read<'de, D: Deserializer<'de>, F: Written>(deserializer: D) -> Result<F, D::Error> {
    deserializer.deserialize_any(Reader(PhantomData))
}

pub(super) struct Reader<F>(PhantomData<F>);

impl<F> Reader<F> {
    pub(super) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, F: Written> Visitor<'de> for Reader<F> {
    type Value = F;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(F::EXPECTED)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<F, E> {
        if text.len() > LONGEST {
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
        // YAML takes `010` for 10.0, which is not what is in the text.
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

/// A form for where serde asks for its own traits.
pub(super) struct AsWritten<F>(pub(super) F);

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

/// For fields that must be there: `#[serde(with = "needed")]`.
pub(super) mod needed {
    use super::{Deserializer, Serializer, Written};

    pub(in crate::table::document) fn deserialize<'de, D: Deserializer<'de>, F: Written>(
        deserializer: D,
    ) -> Result<F, D::Error> {
        super::read(deserializer)
    }

    pub(in crate::table::document) fn serialize<S: Serializer, F: Written>(
        value: &F,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.write(serializer)
    }
}

/// For fields that may be left out: `#[serde(default, with = "given")]`. A null is a
/// value of the wrong type, not a field left out: it is what a template makes of a
/// variable that is not set.
pub(super) mod given {
    use super::{Deserializer, Serializer, Written};

    pub(in crate::table::document) fn deserialize<'de, D: Deserializer<'de>, F: Written>(
        deserializer: D,
    ) -> Result<Option<F>, D::Error> {
        super::read(deserializer).map(Some)
    }

    pub(in crate::table::document) fn serialize<S: Serializer, F: Written>(
        value: &Option<F>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }
}
