mod policies;
#[cfg(feature = "health")]
mod probes;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Writes a value in each format and reads it again.
fn round_trips<T: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(value: &T) {
    let json = serde_json::to_string(value).unwrap();
    assert_eq!(&serde_json::from_str::<T>(&json).unwrap(), value, "{json}");
    let yaml = serde_saphyr::to_string(value).unwrap();
    assert_eq!(&serde_saphyr::from_str::<T>(&yaml).unwrap(), value, "{yaml}");
    // TOML has no values outside of a table.
    #[derive(serde::Deserialize, serde::Serialize)]
    struct Table<T> {
        value: T,
    }
    let toml = toml::to_string(&Table { value }).unwrap();
    assert_eq!(&toml::from_str::<Table<T>>(&toml).unwrap().value, value, "{toml}");
}

/// Returns the message without the line and column that the format adds.
fn message<T: DeserializeOwned + std::fmt::Debug>(json: &str) -> String {
    let message = serde_json::from_str::<T>(json).unwrap_err().to_string();
    message.rsplit_once(" at line ").map_or(message.clone(), |(message, _)| message.to_owned())
}

/// Reads a text in each format, where only panics and time matter.
fn reads<T: DeserializeOwned>(text: &[u8]) {
    let _ = serde_json::from_slice::<T>(text);
    let _ = serde_saphyr::from_slice::<T>(text);
    let _ = toml::from_slice::<T>(text);
}
