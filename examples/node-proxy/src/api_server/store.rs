//! Objects with all their versions, as etcd has them.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::{Value, json};

use super::resource::Resource;
use super::selector::Selector;

/// The resource, the namespace and the name of an object. The namespace is empty for nodes.
pub(super) type Key = (&'static Resource, String, String);

/// A version of an object, or its end.
#[derive(Clone, Debug)]
struct Version {
    revision: u64,
    object: Option<Arc<Value>>,
}

/// Why an object was not written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    AlreadyExists,
    NotFound,
    /// Somebody else has written the object meanwhile.
    Conflict,
    /// The object has no name, or another one than the path.
    Invalid,
}

/// What a watch tells of one revision.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(super) word: &'static str,
    pub(super) object: Arc<Value>,
}

/// A page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) revision: u64,
    pub(super) objects: Vec<Arc<Value>>,
    /// The last key of the page, if there are more objects.
    pub(super) last: Option<Key>,
}

/// Which objects of a resource are listed or watched.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) resource: &'static Resource,
    /// `None` means all namespaces.
    pub(super) namespace: Option<String>,
    pub(super) selector: Selector,
}

impl Wanted {
    fn matches(&self, key: &Key, object: &Value) -> bool {
        key.0 == self.resource
            && self.namespace.as_ref().is_none_or(|it| *it == key.1)
            && self.selector.matches(object)
    }
}

/// All objects.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// The revision of the last write.
    revision: u64,
    /// What is older than this is not known any more.
    compacted: u64,
    versions: BTreeMap<Key, Vec<Version>>,
    log: BTreeMap<u64, Key>,
}

impl Store {
    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns `true` if revision `revision` cannot be read or watched from any more.
    pub(super) const fn is_gone(&self, revision: u64) -> bool {
        revision < self.compacted
    }

    /// Forgets all former versions.
    pub(super) fn compact(&mut self) {
        self.compacted = self.revision;
        self.log.clear();
        self.versions.retain(|_, versions| {
            versions.drain(..versions.len().saturating_sub(1));
            versions.last().is_some_and(|last| last.object.is_some())
        });
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.versions.get(key)?.last()?.object.clone()
    }

    pub(super) fn create(&mut self, key: Key, mut object: Value) -> Result<Arc<Value>, Refusal> {
        if self.get(&key).is_some() {
            return Err(Refusal::AlreadyExists);
        }
        let revision = self.revision + 1;
        let metadata = metadata(&mut object).ok_or(Refusal::Invalid)?;
        metadata["uid"] = json!(format!("00000000-0000-4000-8000-{revision:012x}"));
        metadata["creationTimestamp"] = json!(now());
        Ok(self.write(key, object))
    }

    /// Replaces an object. If the new one names a version, the present one must have it.
    pub(super) fn replace(&mut self, key: Key, mut object: Value) -> Result<Arc<Value>, Refusal> {
        let present = self.get(&key).ok_or(Refusal::NotFound)?;
        let before = present.get("metadata").ok_or(Refusal::NotFound)?;
        let after = metadata(&mut object).ok_or(Refusal::Invalid)?;
        let version = after.get("resourceVersion").filter(|it| !it.is_null() && **it != json!(""));
        if version.is_some_and(|it| Some(it) != before.get("resourceVersion")) {
            return Err(Refusal::Conflict);
        }
        for field in ["uid", "creationTimestamp", "resourceVersion"] {
            after[field] = before.get(field).cloned().unwrap_or_default();
        }
        // A write that changes nothing has no revision of its own.
        match object == *present {
            true => Ok(present),
            false => Ok(self.write(key, object)),
        }
    }

    pub(super) fn delete(&mut self, key: Key) -> Result<Arc<Value>, Refusal> {
        let object = self.get(&key).ok_or(Refusal::NotFound)?;
        self.revision += 1;
        let revision = self.revision;
        self.log.insert(revision, key.clone());
        self.versions.entry(key).or_default().push(Version { revision, object: None });
        Ok(object)
    }

    fn write(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        let revision = self.revision;
        if let Some(metadata) = metadata(&mut object) {
            metadata["resourceVersion"] = json!(revision.to_string());
        }
        let object = Arc::new(object);
        self.log.insert(revision, key.clone());
        let version = Version { revision, object: Some(Arc::clone(&object)) };
        self.versions.entry(key).or_default().push(version);
        object
    }

    /// Lists at most `limit` objects after a key, as they were at a revision.
    pub(super) fn list(
        &self,
        wanted: &Wanted,
        revision: u64,
        after: Option<&Key>,
        limit: usize,
    ) -> Page {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut objects = Vec::new();
        let mut last = None;
        for (key, versions) in self.versions.range((from, Bound::Unbounded)) {
            let Some(object) = at(versions, revision) else { continue };
            if !wanted.matches(key, object) {
                continue;
            }
            if objects.len() == limit {
                return Page { revision, objects, last };
            }
            objects.push(Arc::clone(object));
            last = Some(key.clone());
        }
        Page { revision, objects, last: None }
    }

    /// Tells what happened after a revision.
    pub(super) fn after(&self, wanted: &Wanted, revision: u64) -> Vec<Told> {
        let later = self.log.range((Bound::Excluded(revision), Bound::Unbounded));
        later.filter_map(|(revision, key)| self.tell(wanted, *revision, key)).collect()
    }

    fn tell(&self, wanted: &Wanted, revision: u64, key: &Key) -> Option<Told> {
        let versions = self.versions.get(key)?;
        let matching = |object: Option<&Arc<Value>>| {
            object.filter(|object| wanted.matches(key, object)).map(Arc::clone)
        };
        let before = matching(at(versions, revision.checked_sub(1)?));
        let after = matching(at(versions, revision));
        let (word, object) = match (before, after) {
            (None, None) => return None,
            (None, Some(after)) => ("ADDED", after),
            (Some(_), Some(after)) => ("MODIFIED", after),
            (Some(before), None) => ("DELETED", with_version(&before, revision)),
        };
        Some(Told { word, object })
    }
}

/// Returns an object as it was at a revision.
fn at(versions: &[Version], revision: u64) -> Option<&Arc<Value>> {
    versions.iter().rfind(|it| it.revision <= revision)?.object.as_ref()
}

fn with_version(object: &Value, revision: u64) -> Arc<Value> {
    let mut object = object.clone();
    if let Some(metadata) = metadata(&mut object) {
        metadata["resourceVersion"] = json!(revision.to_string());
    }
    Arc::new(object)
}

fn metadata(object: &mut Value) -> Option<&mut Value> {
    object.get_mut("metadata").filter(|it| it.is_object())
}

fn now() -> String {
    jiff::Timestamp::try_from(SystemTime::now())
        .map_or_else(|_| String::from("1970-01-01T00:00:00Z"), |now| format!("{now:.0}"))
}
