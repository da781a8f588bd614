use serde::de::{Error, MapAccess};
use serde::ser::{Serialize, Serializer};

use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::written::{Refused, Written, needed};

/// Defines types of bytes: text, or a mapping with hexadecimal digits.
macro_rules! bytes {
    ($($name:ident: $field:literal,)*) => {$(
        #[derive(Clone)]
        pub(in crate::health) struct $name(pub(in crate::health) Vec<u8>);

        impl Written for $name {
            const EXPECTED: &'static str =
                concat!($field, ", a text of at most 65536 bytes or a mapping with the key hex");
            const LONGEST: usize = 65_536;

            fn of_text(text: &str) -> Result<Self, Refused> {
                Ok(Self(text.as_bytes().to_owned()))
            }

            fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
                let shape: Shape = mapping::shape(entries)?;
                let rule = "must be pairs of hexadecimal digits";
                let invalid = || A::Error::custom(InvalidValue::new($field, "in hex", rule));
                of_digits(&shape.hex.0).map(Self).ok_or_else(invalid)
            }

            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match std::str::from_utf8(&self.0) {
                    Ok(text) => serializer.serialize_str(text),
                    Err(_) => Shape { hex: Digits(digits_of(&self.0)) }.serialize(serializer),
                }
            }
        }
    )*};
}

bytes! {
    Send: "send",
    Expect: "expect",
}

#[derive(serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(with = "needed")]
    hex: Digits,
}

struct Digits(String);

impl Written for Digits {
    const EXPECTED: &'static str = "hex, a text of pairs of hexadecimal digits";
    const LONGEST: usize = 2 * 65_536;

    fn of_text(text: &str) -> Result<Self, Refused> {
        Ok(Self(text.to_owned()))
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn of_digits(text: &str) -> Option<Vec<u8>> {
    let value =
        |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(value(high)? * 16 + value(low)?),
        _ => None,
    });
    pairs.collect()
}

fn digits_of(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
