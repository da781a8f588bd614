//! The state as JSON. `PROTOCOL.md` documents the shape.

/// A time that may be absent, as text.
pub(super) mod time {
    use std::time::SystemTime;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::moment;

    pub(in crate::status) fn serialize<S: Serializer>(
        time: &Option<SystemTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&moment::text(*time)),
            None => serializer.serialize_none(),
        }
    }

    pub(in crate::status) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SystemTime>, D::Error> {
        Ok(Option::<jiff::Timestamp>::deserialize(deserializer)?.map(SystemTime::from))
    }
}

/// The kind of a maintenance, as a word.
pub(crate) mod kind {
    use ipvs_netlink::health::MaintenanceKind;
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn parse(word: &str) -> Option<MaintenanceKind> {
        [MaintenanceKind::Drain, MaintenanceKind::Out]
            .into_iter()
            .find(|kind| kind.to_string() == word)
    }

    pub(in crate::status) fn serialize<S: Serializer>(
        kind: &MaintenanceKind,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(kind)
    }

    pub(in crate::status) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<MaintenanceKind, D::Error> {
        let word = String::deserialize(deserializer)?;
        parse(&word).ok_or_else(|| D::Error::custom("a maintenance is `drain` or `out`"))
    }
}

#[cfg(test)]
mod tests {
    use crate::status::example;
    use crate::status::{DestinationState, Status};

    #[test]
    fn a_state_is_read_as_written() {
        let status = example::status();
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Status>(&text).unwrap(), status);
    }

    #[test]
    fn a_reader_ignores_keys_and_states_of_later_daemons() {
        let mut value = serde_json::to_value(example::status()).unwrap();
        value["colour"] = "red".into();
        value["services"][0]["destinations"][0]["state"] = "confused".into();
        let status: Status = serde_json::from_value(value).unwrap();
        assert_eq!(status.services[0].destinations[0].state, DestinationState::Unknown);
    }

    #[test]
    fn the_shape_is_the_documented_one() {
        let value = serde_json::to_value(&example::status().services[0].destinations[1]).unwrap();
        let expected = serde_json::json!({
            "destination": "10.0.0.2:8080",
            "state": "drained",
            "since": "2026-11-28T12:03:04.000Z",
            "reason": "",
            "signs": [],
            "maintenance": {"kind": "drain", "by": "alice", "until": "2026-11-28T14:00:00.000Z"},
            "weight": 10,
            "weight_ordered": true,
            "table_weight": 0,
            "connections": {"active": 12, "inactive": 340},
        });
        assert_eq!(value, expected);
    }
}
