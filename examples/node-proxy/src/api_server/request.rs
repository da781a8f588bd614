//! Reads requests, and answers those that read.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Method, Request};
use serde_json::{Value, json};

use super::answer::{self, Answer, Status};
use super::asked::Asked;
use super::resource::{self, Resource};
use super::selector::Selector;
use super::store::{Key, Page, Wanted};
use super::watching::{self, Start, Watch};
use super::{Shared, writing};

/// What a path names.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) resource: &'static Resource,
    pub(super) namespace: Option<String>,
    pub(super) name: Option<String>,
    /// The status of the object. Who writes it, writes the object here.
    pub(super) is_status: bool,
}

impl Target {
    fn parse(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let group = match parts.next()? {
            "api" => "",
            "apis" => parts.next()?,
            _ => return None,
        };
        let version = parts.next()?;
        let mut first = parts.next()?;
        let mut namespace = None;
        if first == "namespaces" {
            namespace = Some(parts.next()?.to_owned());
            first = parts.next()?;
        }
        let resource = Resource::find(group, version, first)?;
        let name = parts.next().map(str::to_owned);
        let rest = parts.next();
        let is_status = rest == Some("status");
        let ends = (rest.is_none() || is_status) && parts.next().is_none();
        let fits = resource.namespaced || namespace.is_none();
        (ends && fits).then_some(Self { resource, namespace, name, is_status })
    }

    /// Returns the key of one object.
    pub(super) fn key(&self) -> Option<Key> {
        let namespace = match (self.resource.namespaced, &self.namespace) {
            (true, None) => return None,
            (true, Some(namespace)) => namespace.clone(),
            (false, _) => String::new(),
        };
        Some((self.resource, namespace, self.name.clone()?))
    }

    pub(super) fn not_found(&self) -> Status {
        let (plural, name) = (self.resource.plural, self.name.as_deref().unwrap_or_default());
        Status::new(404, "NotFound", format!("{plural} \"{name}\" not found"))
    }
}

/// The parameters of a request.
#[derive(Debug, Default)]
struct Parameters(HashMap<String, String>);

impl Parameters {
    fn of(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(key, value)| (key.into_owned(), value.into_owned())).collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn is_true(&self, name: &str) -> bool {
        matches!(self.text(name), "true" | "1")
    }

    fn number(&self, name: &str) -> Result<Option<u64>, Status> {
        match self.text(name) {
            "" => Ok(None),
            text => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Status::bad_request(format!("{name}: must be a number"))),
            },
        }
    }
}

pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Answer, Infallible> {
    Ok(match respond(request, shared).await {
        Ok(answer) => answer,
        Err(status) => status.answer(),
    })
}

async fn respond(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Answer, Status> {
    let refusal = shared.faults().take_refusal();
    if let Some(code) = refusal {
        return Err(Status::new(
            code,
            "InternalError",
            "this request is refused, as was asked for",
        ));
    }
    let path = request.uri().path().trim_end_matches('/').to_owned();
    if let Some(found) = resource::discover(&path) {
        return Ok(answer::object(&found));
    }
    let missing =
        || Status::new(404, "NotFound", "the server could not find the requested resource");
    let target = Target::parse(&path).ok_or_else(missing)?;
    let parameters = Parameters::of(request.uri().query().unwrap_or_default());
    shared.note(Asked::of(request.method(), &target, parameters.is_true("watch")));
    if *request.method() != Method::GET {
        return writing::write(request, &target, &shared).await;
    }
    if let Some(key) = target.key() {
        let found = shared.store().get(&key);
        return found.map(|it| answer::object(&it)).ok_or_else(|| target.not_found());
    }
    let selector =
        Selector::parse(parameters.text("labelSelector"), parameters.text("fieldSelector"))
            .ok_or_else(|| Status::bad_request("a selector cannot be parsed"))?;
    let Target { resource, namespace, .. } = target;
    let wanted = Wanted { resource, namespace, selector };
    match parameters.is_true("watch") {
        true => watch(wanted, &parameters, shared),
        false => list(&wanted, &parameters, &shared),
    }
}

fn list(wanted: &Wanted, parameters: &Parameters, shared: &Shared) -> Result<Answer, Status> {
    let limit = parameters.number("limit")?.unwrap_or(0);
    let limit = usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let store = shared.store();
    let (revision, after) = match parameters.text("continue") {
        "" => (store.revision(), None),
        token => {
            let (revision, key) = resume(wanted.resource, token)
                .ok_or_else(|| Status::bad_request("continue: not a token of this server"))?;
            (revision, Some(key))
        }
    };
    if store.is_gone(revision) {
        return Err(Status::gone());
    }
    let page = store.list(wanted, revision, after.as_ref(), limit);
    drop(store);
    let text = page_text(wanted.resource, &page).to_string();
    let mut faults = shared.faults();
    faults.begun.pages += 1;
    Ok(match faults.take_broken_list() {
        true => answer::broken(&text),
        false => answer::text(text),
    })
}

fn page_text(resource: &Resource, page: &Page) -> Value {
    let version = page.revision.to_string();
    let metadata = match &page.last {
        None => json!({"resourceVersion": version}),
        Some((_, namespace, name)) => {
            json!({"resourceVersion": version, "continue": format!("{version}/{namespace}/{name}")})
        }
    };
    let items: Vec<&Value> = page.objects.iter().map(|it| &**it).collect();
    json!({
        "kind": format!("{}List", resource.kind),
        "apiVersion": resource.api_version(),
        "metadata": metadata,
        "items": items,
    })
}

/// Reads the revision of a list and the last key of the page before.
fn resume(resource: &'static Resource, token: &str) -> Option<(u64, Key)> {
    let mut parts = token.split('/');
    let revision = parts.next()?.parse().ok()?;
    let key = (resource, parts.next()?.to_owned(), parts.next()?.to_owned());
    parts.next().is_none().then_some((revision, key))
}

fn watch(wanted: Wanted, parameters: &Parameters, shared: Arc<Shared>) -> Result<Answer, Status> {
    let from = parameters.number("resourceVersion")?.unwrap_or(0);
    let store = shared.store();
    if from > 0 && store.is_gone(from) {
        return Err(Status::gone());
    }
    if from > store.revision() {
        return Err(Status::new(504, "Timeout", "Too large resource version"));
    }
    drop(store);
    let start = match (from, parameters.is_true("sendInitialEvents")) {
        (_, true) => Start::List,
        (0, false) => Start::Any,
        (from, false) => Start::After(from),
    };
    let seconds = parameters.number("timeoutSeconds")?.unwrap_or(300).min(3600);
    let bookmarks = parameters.is_true("allowWatchBookmarks");
    let watch = Watch { wanted, start, bookmarks, timeout: Duration::from_secs(seconds) };
    shared.faults().begun.watches += 1;
    Ok(watching::answer(watch, shared))
}
