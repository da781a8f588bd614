use std::error::Error as _;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::Request;
use hyper::body::Body as _;
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::rt::{Read, ReadBufCursor, Write};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::health::probe::connection::{self, LONGEST_HEAD};
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::http::rules::{Judge, Step};
use crate::health::probe::meter::Meter;

/// The most headers of an answer.
const HEADERS: usize = 256;

/// Sends a request over HTTP/1.1, and judges the answer.
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    request: Request<String>,
    judge: Judge<'_>,
    shown: Option<&Meter>,
) -> Result<Step, String> {
    let mut builder = Builder::new();
    builder.max_buf_size(LONGEST_HEAD as usize).max_headers(HEADERS);
    let failed = |error| reason(&error, shown);
    let (sender, connection) = builder.handshake(Stream(stream)).await.map_err(failed)?;
    connection::answer(connection, ask(sender, request, judge, shown)).await
}

async fn ask(
    mut sender: SendRequest<String>,
    request: Request<String>,
    mut judge: Judge<'_>,
    shown: Option<&Meter>,
) -> Result<Step, String> {
    let failed = |error| reason(&error, shown);
    let (head, mut body) = sender.send_request(request).await.map_err(failed)?.into_parts();
    if let Some(step) = judge.head(head.status, &head.headers) {
        return step;
    }
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        // Trailers are not looked at.
        let Ok(part) = frame.map_err(failed)?.into_data() else { continue };
        if let Some(step) = judge.part(&part) {
            return step;
        }
    }
    judge.end()
}

/// Says why an exchange failed. `shown` has the first bytes of the answer, if they are not encrypted.
fn reason(error: &hyper::Error, shown: Option<&Meter>) -> String {
    // Where the request was not sent, the cause says all.
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    let error = cause.filter(|_| error.is_canceled()).unwrap_or(error);
    // `hyper` has a method for this, but not for clients. An impossible length is reported so, too.
    if error.is_parse() && error.to_string().contains("too large") {
        let kibibytes = LONGEST_HEAD / 1024;
        return format!("HTTP/1.1: over {kibibytes} KiB or {HEADERS} headers, or an absurd length");
    }
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    let begin = shown.map(Meter::begin).unwrap_or_default();
    // The latter is an answer that came before the request was sent.
    match error.is_parse() || error.to_string().contains("unexpected message") {
        true if !begin.is_empty() => {
            format!("the answer is not HTTP/1.1: {error}{cause}: {}", Excerpt(&begin))
        }
        _ => format!("HTTP/1.1: {error}{cause}"),
    }
}

/// A stream as `hyper` takes it.
struct Stream<S>(S);

impl<S: AsyncRead + Unpin> Read for Stream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let mut bytes = [0; 8192];
        let room = buffer.remaining().min(bytes.len());
        let mut part = ReadBuf::new(bytes.get_mut(..room).unwrap_or_default());
        ready!(Pin::new(&mut self.0).poll_read(context, &mut part))?;
        buffer.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> Write for Stream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
