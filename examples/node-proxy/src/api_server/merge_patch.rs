//! Patches of the type `application/merge-patch+json` (RFC 7386), and those of the type
//! `application/strategic-merge-patch+json` for the conditions of a status.

use serde_json::{Map, Value};

pub(super) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(object) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            object.remove(key);
        } else {
            merge(object.entry(key).or_insert(Value::Null), value);
        }
    }
}

/// Merges like [`merge`], but conditions one by one, by their types.
pub(super) fn merge_strategically(target: &mut Value, mut patch: Value) {
    let conditions = |value: &mut Value| {
        value.pointer_mut("/status/conditions").and_then(Value::as_array_mut).map(std::mem::take)
    };
    let mut merged = conditions(target).unwrap_or_default();
    let name = |condition: &Value| condition.get("type").cloned();
    for condition in conditions(&mut patch).unwrap_or_default() {
        match merged.iter_mut().find(|present| name(present) == name(&condition)) {
            Some(present) => merge(present, &condition),
            None => merged.push(condition),
        }
    }
    merge(target, &patch);
    let status = target.get_mut("status").and_then(Value::as_object_mut);
    if let Some(status) = status.filter(|_| !merged.is_empty()) {
        status.insert("conditions".to_owned(), Value::Array(merged));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    /// The examples of RFC 7386, appendix A, that differ in kind.
    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (mut target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c", "b": null}), json!({"a": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "foo"}), Value::Null, Value::Null),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            super::merge(&mut target, &patch);
            assert_eq!(target, result);
        }
    }

    #[test]
    fn conditions_of_other_types_stay() {
        let mut node =
            json!({"status": {"a": 1, "conditions": [{"type": "A", "x": 1}, {"type": "B"}]}});
        let patch = json!({"status": {"conditions": [{"type": "C"}, {"type": "A", "y": 2}]}});
        super::merge_strategically(&mut node, patch);
        let merged = json!([{"type": "A", "x": 1, "y": 2}, {"type": "B"}, {"type": "C"}]);
        assert_eq!(node, json!({"status": {"a": 1, "conditions": merged}}));
    }
}
