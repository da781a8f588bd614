//! The resources that are served, and how clients discover them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// A resource of the API.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Resource {
    /// Empty for the core group.
    pub(super) group: &'static str,
    pub(super) version: &'static str,
    pub(super) kind: &'static str,
    pub(super) plural: &'static str,
    singular: &'static str,
    short: &'static [&'static str],
    pub(super) namespaced: bool,
}

const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];

pub(super) static RESOURCES: [Resource; 5] = [
    Resource {
        group: "",
        version: "v1",
        kind: "Service",
        plural: "services",
        singular: "service",
        short: &["svc"],
        namespaced: true,
    },
    Resource {
        group: "",
        version: "v1",
        kind: "Node",
        plural: "nodes",
        singular: "node",
        short: &["no"],
        namespaced: false,
    },
    Resource {
        group: "",
        version: "v1",
        kind: "Pod",
        plural: "pods",
        singular: "pod",
        short: &["po"],
        namespaced: true,
    },
    Resource {
        group: "discovery.k8s.io",
        version: "v1",
        kind: "EndpointSlice",
        plural: "endpointslices",
        singular: "endpointslice",
        short: &[],
        namespaced: true,
    },
    Resource {
        group: "events.k8s.io",
        version: "v1",
        kind: "Event",
        plural: "events",
        singular: "event",
        short: &["ev"],
        namespaced: true,
    },
];

impl Resource {
    /// Finds the resource of an object by its `apiVersion` and `kind`.
    pub(super) fn of(object: &Value) -> Option<&'static Self> {
        let text = |field| object.get(field).and_then(Value::as_str);
        let (version, kind) = (text("apiVersion")?, text("kind")?);
        RESOURCES.iter().find(|it| it.api_version() == version && it.kind == kind)
    }

    pub(super) fn find(group: &str, version: &str, plural: &str) -> Option<&'static Self> {
        let fits = |it: &&Self| it.group == group && it.version == version && it.plural == plural;
        RESOURCES.iter().find(fits)
    }

    pub(super) fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }
}

/// The groups beside the core group.
fn groups() -> impl Iterator<Item = &'static str> {
    let named = RESOURCES.iter().map(|it| it.group).filter(|group| !group.is_empty());
    named.collect::<BTreeSet<_>>().into_iter()
}

/// Answers a request for what there is. `path` has no slash at its end.
pub(super) fn discover(path: &str) -> Option<Value> {
    match path {
        "/version" => Some(json!({
            "major": "1", "minor": "35", "gitVersion": "v1.35.0", "platform": "linux/amd64",
        })),
        "/api" => Some(json!({
            "kind": "APIVersions",
            "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        })),
        "/apis" => {
            let groups: Vec<_> = groups().map(of_group).collect();
            Some(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        "/api/v1" => Some(list("", "v1")),
        "/openapi/v3" => {
            let named = groups().map(|group| format!("apis/{group}/v1"));
            let paths = named.chain(["api/v1".to_owned()]).map(|path| {
                let url = json!({"serverRelativeURL": format!("/openapi/v3/{path}")});
                (path, url)
            });
            Some(json!({"paths": paths.collect::<Map<String, Value>>()}))
        }
        "/openapi/v3/api/v1" => Some(schema("")),
        _ => groups().find_map(|group| {
            let group_version = format!("{group}/v1");
            match path.strip_suffix(&group_version)? {
                "/apis/" => Some(list(group, &group_version)),
                "/openapi/v3/apis/" => Some(schema(group)),
                _ => None,
            }
        }),
    }
}

fn of_group(group: &str) -> Value {
    let version = json!({"groupVersion": format!("{group}/v1"), "version": "v1"});
    json!({"name": group, "versions": [version], "preferredVersion": version})
}

/// Says only that the server takes the parameter `fieldValidation`: kubectl then leaves validation to it.
fn schema(group: &str) -> Value {
    let parameter = json!({"name": "fieldValidation", "in": "query"});
    let paths = RESOURCES.iter().filter(|it| it.group == group).map(|it| {
        let kind = json!({"group": it.group, "version": it.version, "kind": it.kind});
        let patch = json!({"parameters": [parameter], "x-kubernetes-group-version-kind": kind});
        (format!("/{}", it.plural), json!({"patch": patch}))
    });
    let paths: Map<String, Value> = paths.collect();
    json!({"openapi": "3.0.0", "info": {"title": "tests", "version": "1"}, "paths": paths})
}

fn list(group: &str, group_version: &str) -> Value {
    let resources = RESOURCES.iter().filter(|it| it.group == group).map(|it| {
        json!({
            "name": it.plural,
            "singularName": it.singular,
            "namespaced": it.namespaced,
            "kind": it.kind,
            "verbs": VERBS,
            "shortNames": it.short,
        })
    });
    json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources.collect::<Vec<_>>(),
    })
}
