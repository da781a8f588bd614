//! Label selectors and field selectors.

use serde_json::Value;

/// Which objects a client wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    Exists,
    Missing,
    In(Vec<String>),
    NotIn(Vec<String>),
}

impl Selector {
    /// Parses the two selectors of a request. An empty text selects everything.
    pub(super) fn parse(labels: &str, fields: &str) -> Option<Self> {
        let fields = requirements(fields)?;
        let known = |it: &Requirement| ["metadata.name", "metadata.namespace"].contains(&&*it.key);
        let labels = requirements(labels)?;
        fields.iter().all(known).then_some(Self { labels, fields })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let metadata = object.get("metadata");
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let label = |key: &str| text(metadata.and_then(|it| it.get("labels")?.get(key)));
        let field = |key: &str| {
            let name = key.trim_start_matches("metadata.");
            Some(text(metadata.and_then(|it| it.get(name))).unwrap_or_default())
        };
        self.labels.iter().all(|it| it.is_met_by(label(&it.key).as_deref()))
            && self.fields.iter().all(|it| it.is_met_by(field(&it.key).as_deref()))
    }
}

impl Requirement {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let one = |key: &str, value: &str| (key.to_owned(), vec![value.trim().to_owned()]);
        let (key, operator) = if let Some(key) = text.strip_prefix('!') {
            (key.to_owned(), Operator::Missing)
        } else if let Some((key, values)) = set(text, " notin ") {
            (key, Operator::NotIn(values))
        } else if let Some((key, values)) = set(text, " in ") {
            (key, Operator::In(values))
        } else if let Some((key, value)) = text.split_once("!=") {
            let (key, values) = one(key, value);
            (key, Operator::NotIn(values))
        } else if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
            let (key, values) = one(key, value);
            (key, Operator::In(values))
        } else {
            (text.to_owned(), Operator::Exists)
        };
        let key = key.trim().to_owned();
        (!key.is_empty()).then_some(Self { key, operator })
    }

    fn is_met_by(&self, value: Option<&str>) -> bool {
        let is_in = |values: &[String]| value.is_some_and(|it| values.iter().any(|v| v == it));
        match &self.operator {
            Operator::Exists => value.is_some(),
            Operator::Missing => value.is_none(),
            Operator::In(values) => is_in(values),
            Operator::NotIn(values) => !is_in(values),
        }
    }
}

/// Parses `KEY in (A,B)`.
fn set(text: &str, word: &str) -> Option<(String, Vec<String>)> {
    let (key, values) = text.split_once(word)?;
    let values = values.trim().strip_prefix('(')?.strip_suffix(')')?;
    Some((key.to_owned(), values.split(',').map(|it| it.trim().to_owned()).collect()))
}

/// Splits at the commas outside parentheses.
fn requirements(text: &str) -> Option<Vec<Requirement>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut inside = false;
    let parts = text.split(|c: char| {
        inside = (inside || c == '(') && c != ')';
        c == ',' && !inside
    });
    parts.map(Requirement::parse).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Selector;

    fn matches(labels: &str, fields: &str) -> bool {
        let object = json!({"metadata": {"name": "web", "labels": {"a": "1", "b": ""}}});
        Selector::parse(labels, fields).unwrap().matches(&object)
    }

    #[test]
    fn requirements_hold_together() {
        for selector in [
            "",
            "a",
            "!c",
            "a=1",
            "a==1,b",
            "a!=2",
            "c!=2",
            "a in (2, 1),!c",
            "a notin (2,3)",
            "b=",
        ] {
            assert!(matches(selector, ""), "{selector}");
        }
        for selector in ["c", "!a", "a=2", "a!=1", "a in (2,3)", "a notin (1)", "a,c", "b in (1)"] {
            assert!(!matches(selector, ""), "{selector}");
        }
        assert!(matches("", "metadata.name=web"));
        assert!(!matches("", "metadata.name!=web"));
        assert_eq!(Selector::parse("", "spec.nodeName=a"), None);
        assert_eq!(Selector::parse("a,,b", ""), None);
    }
}
