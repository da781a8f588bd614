//! Answers: objects, errors, and texts that break off.

use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use futures::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Frame;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

pub(super) type Answer = Response<Body>;

/// Why a request is refused.
#[derive(Clone, Debug)]
pub(super) struct Status {
    code: StatusCode,
    reason: &'static str,
    message: String,
}

impl Status {
    pub(super) fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        let code = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { code, reason, message: message.into() }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// What is too old to be read or watched from.
    pub(super) fn gone() -> Self {
        Self::new(410, "Expired", "The resourceVersion is too old")
    }

    pub(super) fn object(&self) -> Value {
        json!({
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code.as_u16(),
        })
    }

    pub(super) fn answer(&self) -> Answer {
        let mut answer = object(&self.object());
        *answer.status_mut() = self.code;
        answer
    }
}

/// Answers with an object.
pub(super) fn object(object: &Value) -> Answer {
    text(object.to_string())
}

pub(super) fn text(text: String) -> Answer {
    json_of(Full::from(text).map_err(|never: Infallible| match never {}).boxed_unsync())
}

/// Answers with the first half of a text, and breaks the connection.
pub(super) fn broken(text: &str) -> Answer {
    let half = text.as_bytes().get(..text.len() / 2).unwrap_or_default();
    let half = Ok(Frame::data(Bytes::copy_from_slice(half)));
    let cut = Err(io::Error::from(io::ErrorKind::ConnectionReset));
    json_of(StreamBody::new(stream::iter([half, cut])).boxed_unsync())
}

pub(super) fn json_of(body: Body) -> Answer {
    let mut answer = Response::new(body);
    let json = hyper::header::HeaderValue::from_static("application/json");
    answer.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    answer
}
