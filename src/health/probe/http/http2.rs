use bytes::Bytes;
use h2::client::SendRequest;
use hyper::Request;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::health::probe::http::rules::{Judge, Step};
use crate::health::probe::http2::{connect, reason};
use crate::health::probe::meter::Meter;

/// Sends a request over HTTP/2, and judges the answer.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<String>,
    judge: Judge<'_>,
    shown: Option<&Meter>,
) -> Result<Step, String> {
    connect(stream, shown, |sender| ask(sender, request.map(drop), judge, shown)).await
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
