//! Requests that write.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, StatusCode};
use serde_json::{Value, json};

use super::answer::{self, Answer, Status};
use super::request::Target;
use super::store::Refusal;
use super::{Shared, key, merge_patch};

/// The longest object, as for etcd.
const LONGEST: usize = 3 << 20;

pub(super) async fn write(
    request: Request<Incoming>,
    target: &Target,
    shared: &Shared,
) -> Result<Answer, Status> {
    let method = request.method().clone();
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    // Conditions are the only list that is merged item by item here.
    let is_strategic =
        target.is_status && content_type == Some("application/strategic-merge-patch+json");
    let is_merge = is_strategic || content_type == Some("application/merge-patch+json");
    if method == Method::PATCH && !is_merge {
        return Err(Status::new(
            415,
            "UnsupportedMediaType",
            "only merge patches, and strategic ones of a status, are served",
        ));
    }
    let body = Limited::new(request.into_body(), LONGEST).collect().await;
    let body =
        body.map_err(|error| Status::new(413, "RequestEntityTooLarge", error.to_string()))?;
    let body = body.to_bytes();
    let read =
        || serde_json::from_slice::<Value>(&body).map_err(|it| Status::bad_request(it.to_string()));
    let mut answer = match method {
        Method::POST => create(read()?, target, shared)?,
        Method::PUT => replace(read()?, target, shared)?,
        Method::PATCH => patch(read()?, is_strategic, target, shared)?,
        Method::DELETE => delete(target, shared)?,
        _ => return Err(Status::new(405, "MethodNotAllowed", "the method is not allowed")),
    };
    if method == Method::POST {
        *answer.status_mut() = StatusCode::CREATED;
    }
    shared.announce();
    Ok(answer)
}

fn create(mut object: Value, target: &Target, shared: &Shared) -> Result<Answer, Status> {
    if target.name.is_some() {
        return Err(Status::new(405, "MethodNotAllowed", "an object is created in its list"));
    }
    let name = object.get("metadata").and_then(|it| it.get("name")?.as_str());
    let target = Target { name: name.map(str::to_owned), ..target.clone() };
    complete(&mut object, &target)?;
    let key = target.key().ok_or_else(|| Status::bad_request("there is no namespace"))?;
    let created = shared.store().create(key, object);
    created.map(|it| answer::object(&it)).map_err(|it| refusal(it, &target))
}

fn replace(mut object: Value, target: &Target, shared: &Shared) -> Result<Answer, Status> {
    complete(&mut object, target)?;
    let key = target.key().ok_or_else(|| target.not_found())?;
    let replaced = shared.store().replace(key, object);
    replaced.map(|it| answer::object(&it)).map_err(|it| refusal(it, target))
}

fn patch(
    patch: Value,
    is_strategic: bool,
    target: &Target,
    shared: &Shared,
) -> Result<Answer, Status> {
    let key = target.key().ok_or_else(|| target.not_found())?;
    let mut store = shared.store();
    let present = store.get(&key).ok_or_else(|| target.not_found())?;
    let mut object = Value::clone(&present);
    match is_strategic {
        true => merge_patch::merge_strategically(&mut object, patch),
        false => merge_patch::merge(&mut object, &patch),
    }
    complete(&mut object, target)?;
    let patched = store.replace(key, object);
    patched.map(|it| answer::object(&it)).map_err(|it| refusal(it, target))
}

fn delete(target: &Target, shared: &Shared) -> Result<Answer, Status> {
    let key = target.key().ok_or_else(|| target.not_found())?;
    let deleted = shared.store().delete(key).map_err(|it| refusal(it, target))?;
    let uid = deleted.get("metadata").and_then(|it| it.get("uid"));
    Ok(answer::object(&json!({
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {
            "name": target.name,
            "group": target.resource.group,
            "kind": target.resource.plural,
            "uid": uid,
        },
    })))
}

/// Gives an object the namespace of its path, and refuses one that is not what the path says.
fn complete(object: &mut Value, target: &Target) -> Result<(), Status> {
    if let (Some(namespace), Some(metadata)) =
        (&target.namespace, object.get_mut("metadata").and_then(Value::as_object_mut))
    {
        metadata.entry("namespace").or_insert_with(|| json!(namespace));
    }
    match key(object) {
        Some(key) if Some(&key) == target.key().as_ref() => Ok(()),
        _ => Err(refusal(Refusal::Invalid, target)),
    }
}

fn refusal(refusal: Refusal, target: &Target) -> Status {
    let (plural, name) = (target.resource.plural, target.name.as_deref().unwrap_or_default());
    let object = format!("{plural} \"{name}\"");
    match refusal {
        Refusal::AlreadyExists => {
            Status::new(409, "AlreadyExists", format!("{object} already exists"))
        }
        Refusal::NotFound => target.not_found(),
        Refusal::Conflict => Status::new(
            409,
            "Conflict",
            format!(
                "{object}: the object has been modified; apply your changes to the latest version"
            ),
        ),
        Refusal::Invalid => Status::bad_request(format!(
            "{object}: kind, namespace or name is not that of the path"
        )),
    }
}
