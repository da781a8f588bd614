//! The objects that `kubectl kustomize` builds.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use node_proxy::api_server::ApiServer;
use serde_json::Value;

use crate::stage::kubectl::Kubectl;

/// The overlays, each a variant that somebody applies.
pub(crate) const OVERLAYS: [&str; 6] = [
    "overlays/in-place-of-kube-proxy",
    "overlays/with-pod-weights",
    "overlays/with-reports",
    "overlays/with-strict-arp",
    "overlays/beside-kube-proxy",
    "overlays/cleanup",
];

/// Those that run the program for long.
pub(crate) const VARIANTS: [&str; 5] = [
    "overlays/in-place-of-kube-proxy",
    "overlays/with-pod-weights",
    "overlays/with-reports",
    "overlays/with-strict-arp",
    "overlays/beside-kube-proxy",
];

/// The objects of a kustomization.
pub(crate) struct Built(Vec<Value>);

impl Built {
    /// Builds a folder of `deploy`, once for all tests.
    #[track_caller]
    pub(crate) fn of(folder: &str) -> Self {
        static BUILT: Mutex<BTreeMap<String, Vec<Value>>> = Mutex::new(BTreeMap::new());
        let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
        Self(built.entry(folder.to_owned()).or_insert_with(|| build(folder)).clone())
    }

    /// Returns the objects of a kind.
    pub(crate) fn all<'b>(&'b self, kind: &str) -> impl Iterator<Item = &'b Value> {
        self.0.iter().filter(move |it| it["kind"] == kind)
    }

    /// Returns the only object of a kind.
    #[track_caller]
    pub(crate) fn only(&self, kind: &str) -> &Value {
        let mut all = self.all(kind);
        let first = all.next().unwrap_or_else(|| panic!("no {kind}"));
        assert!(all.next().is_none(), "more than one {kind}");
        first
    }

    /// Returns the specification of the pods.
    #[track_caller]
    pub(crate) fn pod(&self) -> &Value {
        &self.only("DaemonSet")["spec"]["template"]["spec"]
    }

    /// Returns the arguments of a container as the kubelet hands them over: `$(NAME)` is the value of an
    /// environment variable.
    #[track_caller]
    pub(crate) fn arguments(&self, container: &Value) -> Vec<String> {
        let variables = self.environment(container);
        let words = container["args"].as_array().unwrap().iter().map(|it| it.as_str().unwrap());
        words.map(|word| expand(word, &variables)).collect()
    }

    /// Returns the environment of a container on node-a.
    #[track_caller]
    pub(crate) fn environment(&self, container: &Value) -> BTreeMap<String, String> {
        let mut variables = BTreeMap::new();
        for source in container["envFrom"].as_array().into_iter().flatten() {
            let name = &source["configMapRef"]["name"];
            let map = self.all("ConfigMap").find(|it| it["metadata"]["name"] == *name).unwrap();
            for (key, value) in map["data"].as_object().unwrap() {
                variables.insert(key.clone(), value.as_str().unwrap().to_owned());
            }
        }
        for variable in container["env"].as_array().into_iter().flatten() {
            assert_eq!(variable["valueFrom"]["fieldRef"]["fieldPath"], "spec.nodeName");
            variables.insert(variable["name"].as_str().unwrap().to_owned(), "node-a".to_owned());
        }
        variables
    }
}

#[track_caller]
fn expand(word: &str, variables: &BTreeMap<String, String>) -> String {
    let Some((before, rest)) = word.split_once("$(") else { return word.to_owned() };
    let (name, after) = rest.split_once(')').unwrap();
    let value = variables.get(name).unwrap_or_else(|| panic!("{word}: no variable {name}"));
    format!("{before}{value}{}", expand(after, variables))
}

#[track_caller]
fn build(folder: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy").join(folder);
    // It talks to no server.
    let server = ApiServer::start().unwrap();
    let text = Kubectl(&server).run(&["kustomize", path.to_str().unwrap()], "");
    let built: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    assert!(!built.is_empty(), "{folder}");
    built
}
