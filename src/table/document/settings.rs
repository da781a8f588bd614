use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess};
use serde::ser::{Error as _, Serialize, SerializeMap, Serializer};

use crate::model::{InvalidValue, Setting, SettingRange, SettingValue, Settings};
use crate::table::document::mapping;
use crate::table::document::written::{AsWritten, Refused, Written, read};

/// A value of any setting, before its name says what it may be.
enum Value {
    Truth(bool),
    Other(SettingValue),
}

/// One of two numbers.
struct Number(i64);

impl Written for Number {
    const EXPECTED: &'static str = "number of a setting, a whole number";

    fn of_number(number: i128) -> Result<Self, Refused> {
        number.try_into().map(Self).map_err(|_| Refused::Value)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

impl Written for Value {
    const EXPECTED: &'static str = "value of a setting, a whole number, true or false, a list of \
                                    two numbers, or a text";

    fn of_text(text: &str) -> Result<Self, Refused> {
        Ok(Self::Other(SettingValue::parse(text)))
    }

    fn of_number(number: i128) -> Result<Self, Refused> {
        let Number(number) = Number::of_number(number)?;
        Ok(Self::Other(number.into()))
    }

    fn of_truth(truth: bool) -> Result<Self, Refused> {
        Ok(Self::Truth(truth))
    }

    fn of_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Self, A::Error> {
        let mut next = || list.next_element::<AsWritten<Number>>();
        match (next()?, next()?, next()?) {
            (Some(AsWritten(first)), Some(AsWritten(second)), None) => {
                Ok(Self::Other((first.0, second.0).into()))
            }
            _ => Err(A::Error::custom("value of a setting: a list must be of two numbers")),
        }
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Truth(truth) => serializer.serialize_bool(*truth),
            Self::Other(SettingValue::Number(number)) => serializer.serialize_i64(*number),
            Self::Other(SettingValue::Pair(first, second)) => [first, second].serialize(serializer),
            Self::Other(SettingValue::Text(text)) => serializer.serialize_str(text),
        }
    }
}

impl Value {
    /// Returns the value of a setting. A switch may be true or false.
    fn of(self, setting: Setting) -> SettingValue {
        match (self, setting.known().map(|known| known.range)) {
            (Self::Truth(truth), Some(SettingRange::Switch) | None) => truth.into(),
            // No setting has such a text in its range.
            (Self::Truth(truth), Some(_)) => SettingValue::Text(truth.to_string()),
            (Self::Other(value), _) => value,
        }
    }
}

/// Reads the value of a setting into the settings while the format visits it, so that the format
/// can add its line to an error, also to that of the name.
struct Reader<'s>(&'s mut Settings, Result<Setting, InvalidValue>);

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(settings, setting) = self;
        let value: Value = read(deserializer)?;
        let setting = setting.map_err(D::Error::custom)?;
        let value = value.of(setting);
        setting.validate(&value).map_err(D::Error::custom)?;
        match settings.insert(setting, value) {
            None => Ok(()),
            Some(_) => {
                Err(D::Error::custom(format_args!("setting {setting}: must not be given twice")))
            }
        }
    }
}

impl Written for Settings {
    const EXPECTED: &'static str = "settings, a mapping of names like conntrack to values";

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let mut entries = mapping::plain(entries);
        let mut settings = Self::new();
        while let Some(name) = entries.next_key::<String>()? {
            entries.next_value_seed(Reader(&mut settings, name.parse()))?;
        }
        Ok(settings)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.validate().map_err(S::Error::custom)?;
        let mut mapping = serializer.serialize_map(Some(self.len()))?;
        for (setting, value) in self.iter() {
            let value = Value::Other(value.clone());
            mapping.serialize_entry(&setting.to_string(), &AsWritten(&value))?;
        }
        mapping.end()
    }
}
