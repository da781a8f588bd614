use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::exit::Exit;

const WEB: &str = "{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web}}";

fn yaml(text: &str) -> Result<Objects, String> {
    let mut objects = Objects::default();
    parse(text.as_bytes(), false, &mut objects).map(|()| objects)
}

fn json(text: &str) -> Result<Objects, String> {
    let mut objects = Objects::default();
    parse(text.as_bytes(), true, &mut objects).map(|()| objects)
}

fn names(objects: &Objects) -> Vec<String> {
    objects.services.iter().map(|it| it.metadata.object_name().to_string()).collect()
}

#[test]
fn documents_may_be_many_and_empty() {
    let text = format!("# none\n---\n{WEB}\n---\n---\n# nothing\n---\n{WEB}\n...\n");
    assert_eq!(names(&yaml(&text).unwrap()), ["shop/web", "shop/web"]);
    assert_eq!(yaml("").unwrap(), Objects::default());
    assert_eq!(yaml("# nothing\n").unwrap(), Objects::default());
}

#[test]
fn lists_are_read_whatever_the_order_of_their_keys() {
    for text in [
        format!("apiVersion: v1\nkind: List\nitems: [{WEB}]"),
        format!("items: [{WEB}]\nkind: List\napiVersion: v1"),
        "kind: ServiceList\napiVersion: v1\nitems: [{metadata: {namespace: shop, name: web}}]"
            .to_owned(),
        "items: [{metadata: {namespace: shop, name: web}}]\nkind: ServiceList\napiVersion: v1"
            .to_owned(),
    ] {
        assert_eq!(names(&yaml(&text).unwrap()), ["shop/web"], "{text}");
    }
    let slices = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSliceList\nmetadata: {}\n\
                  items: [{metadata: {name: web-1}, addressType: IPv4}]";
    assert_eq!(yaml(slices).unwrap().slices.len(), 1);
    assert_eq!(yaml("{apiVersion: v1, kind: List, items: }").unwrap(), Objects::default());
}

#[test]
fn json_documents_may_follow_each_other() {
    let web = r#"{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}"#;
    assert_eq!(names(&json(&format!("{web}\n{web}")).unwrap()).len(), 2);
    let list = format!(r#"{{"items": [{web}], "kind": "List", "apiVersion": "v1"}}"#);
    assert_eq!(names(&json(&list).unwrap()), ["default/web"]);
}

#[test]
fn other_kinds_and_versions_are_counted() {
    let objects = yaml(
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {x: [1, 2.5, true, ~]}}\n\
         ---\n{apiVersion: apps/v1, kind: Deployment}\n\
         ---\n{apiVersion: v2, kind: Service}\n\
         ---\n{apiVersion: example.com/v1, kind: Wish, items: [a, 1]}\n",
    );
    let others = objects.unwrap().others;
    let others: Vec<_> = others.iter().map(|(kind, count)| (kind.as_str(), *count)).collect();
    assert_eq!(others, [("apps/v1 Deployment", 2), ("example.com/v1 Wish", 1), ("v2 Service", 1)]);
}

/// Each message says where, and what.
#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, place, what) in [
        ("a: [", "line 1", ""),
        ("just text", "line 1", "expected"),
        ("[1]", "line 1", "expected"),
        (&format!("{WEB}\n---\na: b\n"), "line 3", "no apiVersion"),
        ("{apiVersion: v1, kind: Service}", "line 1", "Service without a name: has no name"),
        (
            "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - port: http\n",
            "line 1",
            "Service web: spec.ports[0].port: invalid type: string \"http\", expected i32",
        ),
        (
            "{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {clusterIP: [1]}}",
            "line 1",
            "spec.clusterIP",
        ),
        ("kind: List\napiVersion: v1\nitems: [1]", "line 1", "items[0]: must be an object"),
        (
            "kind: List\napiVersion: v1\nitems: [{apiVersion: v1, kind: List, items: []}]",
            "line 1",
            "a list is in a list",
        ),
        ("{apiVersion: v1, kind: List, items: [], items: []}", "line 1", "uplicate"),
        ("{apiVersion: v1, kind: A, kind: B}", "line 1", "uplicate"),
        ("? [a]\n: b\n", "line 1", ""),
    ] {
        let message = yaml(text).unwrap_err();
        assert!(message.starts_with(place) && message.contains(what), "{text:?}: {message}");
        assert!(!message.contains('\n'), "{message}");
    }
    let message = json("{\"kind\": \"Service\",\n\"kind\": 1}").unwrap_err();
    assert!(message.starts_with("line 2, column "), "{message}");
    let mut objects = Objects::default();
    let message = parse(b"a: b\nc: \xff", false, &mut objects).unwrap_err();
    assert_eq!(message, "line 2: not UTF-8");
}

#[test]
fn names_that_control_a_terminal_are_escaped() {
    let text = "{apiVersion: v1, kind: Service, metadata: {name: \"a\\e[31m\"}, spec: 1}";
    let message = yaml(text).unwrap_err();
    assert!(!message.contains(char::is_control), "{message:?}");
    let other = yaml("{apiVersion: \"x\\e[31m\", kind: \"y\\n\"}").unwrap().others;
    assert!(!other.keys().next().unwrap().contains(char::is_control), "{other:?}");
}

/// 40 levels of ten aliases each would be 10^40 nodes.
#[test]
fn aliases_do_not_multiply() {
    let mut text = String::from("apiVersion: v1\nkind: A\na0: &a0 [x]\n");
    for level in 1..40 {
        let before = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{before}]\n"));
    }
    assert!(yaml(&text).is_err());
}

#[test]
fn deep_texts_are_refused() {
    let deep =
        format!("{{apiVersion: v1, kind: A, a: {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(yaml(&deep).is_err());
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(json(&deep).is_err());
}

#[test]
fn folders_are_read_in_the_order_of_names_without_what_is_hidden() {
    let folder = Folder::new("order");
    let service = |name| format!("{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}}}");
    folder.write("b.yaml", &service("b"));
    folder.write("a/c.yml", &service("c"));
    folder.write(
        "d.json",
        &service("d").replace("name: d", "\"name\": \"d\"").replace(
            "apiVersion: v1, kind: Service, metadata",
            "\"apiVersion\": \"v1\", \"kind\": \"Service\", \"metadata\"",
        ),
    );
    folder.write(".hidden.yaml", "[");
    folder.write(".git/x.yaml", "[");
    folder.write("README.md", "[");
    std::os::unix::fs::symlink(".", folder.0.join("loop")).unwrap();
    assert_eq!(names(&read(&folder.0).unwrap()), ["default/c", "default/b", "default/d"]);
    let single = read(&folder.0.join("b.yaml")).unwrap();
    assert_eq!(names(&single), ["default/b"]);
}

#[test]
fn every_bad_file_is_told_and_none_is_waited_for() {
    let folder = Folder::new("bad");
    folder.write("a.yaml", "[");
    folder.write("b.yaml", "x: y");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        folder.0.join("c.yaml"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    let errors = read(&folder.0).unwrap_err();
    assert_eq!(errors.iter().count(), 3);
    assert_eq!(errors.exit(), Exit::Failed);
    assert!(errors.to_string().contains("not a regular file"), "{errors}");
    let missing = read(&folder.0.join("missing")).unwrap_err();
    assert_eq!(missing.exit(), Exit::Failed);
    folder.write("d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t.yaml", "x: y");
    assert!(read(&folder.0).unwrap_err().to_string().contains("16 folders"));
}

/// A plan from such files would delete every service.
#[test]
fn files_without_any_object_are_refused() {
    let folder = Folder::new("empty");
    folder.write("notes.txt", "x: y");
    let told = |path: &Path| {
        let errors = read(path).unwrap_err();
        assert_eq!(errors.exit(), Exit::Invalid);
        errors.to_string()
    };
    assert!(
        told(&folder.0).ends_with(": no object of Kubernetes in its .yaml, .yml and .json files")
    );
    folder.write("failed.yaml", "");
    folder.write("none.yaml", "{apiVersion: v1, kind: List, items: []}");
    for file in ["failed.yaml", "none.yaml"] {
        assert!(told(&folder.0.join(file)).ends_with("yaml: no object of Kubernetes in it"));
    }
    folder.write("other.yaml", "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}}");
    assert_eq!(read(&folder.0).unwrap().others.len(), 1);
}

/// A folder that ends with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("manifests-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
