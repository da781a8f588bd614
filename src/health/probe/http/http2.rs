use std::pin::pin;

use h2::client::{Builder, SendRequest};
use hyper::Request;
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::health::outcome::Excerpt;
use crate::health::probe::http::LONGEST_HEAD;
use crate::health::probe::http::rules::{Judge, Step};
use crate::health::probe::meter::Meter;

/// How much of a body a server may send before it is read, in bytes.
const WINDOW: u32 = 64 * 1024 - 1;

/// Sends a request over HTTP/2, and judges the answer.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<String>,
    judge: Judge<'_>,
    shown: Option<&Meter>,
) -> Result<Step, String> {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .header_table_size(4096)
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW)
        .max_concurrent_reset_streams(4)
        .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX));
    let failed = |error| reason(&error, shown);
    let (sender, connection) = builder.handshake(stream).await.map_err(failed)?;
    let mut answer = pin!(ask(sender, request.map(drop), judge, shown));
    // The connection works only while it is polled. Once it has ended, the answer or its failure is
    // there to be taken.
    tokio::select! {
        biased;
        step = &mut answer => return step,
        _ = connection => {}
    }
    answer.await
}

async fn ask(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    mut judge: Judge<'_>,
    shown: Option<&Meter>,
) -> Result<Step, String> {
    let failed = |error| reason(&error, shown);
    let mut sender = sender.ready().await.map_err(failed)?;
    let (answer, _) = sender.send_request(request, true).map_err(failed)?;
    let (head, mut body) = answer.await.map_err(failed)?.into_parts();
    if let Some(step) = judge.head(head.status, &head.headers) {
        return step;
    }
    while let Some(part) = body.data().await {
        let part = part.map_err(failed)?;
        if let Some(step) = judge.part(&part) {
            return step;
        }
        body.flow_control().release_capacity(part.len()).map_err(failed)?;
    }
    judge.end()
}

/// Says why an exchange failed. `shown` has the first bytes of the answer, if they are not encrypted.
fn reason(error: &h2::Error, shown: Option<&Meter>) -> String {
    let begin = shown.map(Meter::begin).unwrap_or_default();
    // A server begins with a frame of settings: three bytes of length, and 4.
    let is_http2 = begin.is_empty() || begin.get(3) == Some(&4);
    match is_http2 {
        true => format!("HTTP/2: {error}"),
        false => format!("the answer is not HTTP/2: {}", Excerpt(&begin)),
    }
}
