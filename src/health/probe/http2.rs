//! What checks over HTTP/2 and gRPC share: how a connection is bounded, and why it failed.

use std::future::Future;

use bytes::Bytes;
use h2::client::{Builder, SendRequest};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::health::probe::connection::{self, LONGEST_HEAD};
use crate::health::probe::excerpt::Excerpt;
use crate::health::probe::meter::Meter;

/// How much of a body a server may send before it is read, in bytes.
const WINDOW: u32 = 64 * 1024 - 1;

/// Connects by HTTP/2, and has `ask` use the connection.
///
/// `shown` has the first bytes of the connection, if they are not encrypted.
pub(super) async fn connect<S, T, F>(
    stream: S,
    shown: Option<&Meter>,
    ask: impl FnOnce(SendRequest<Bytes>) -> F,
) -> Result<T, String>
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Future<Output = Result<T, String>>,
{
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .header_table_size(4096)
        .initial_connection_window_size(WINDOW)
        .initial_window_size(WINDOW)
        .max_concurrent_reset_streams(4)
        .max_header_list_size(LONGEST_HEAD);
    let made = builder.handshake(stream).await;
    let (sender, connection) = made.map_err(|error| reason(&error, shown))?;
    connection::answer(connection, ask(sender)).await
}

/// Says why an exchange failed.
pub(super) fn reason(error: &h2::Error, shown: Option<&Meter>) -> String {
    let begin = shown.map(Meter::begin).unwrap_or_default();
    // A server begins with a frame of settings: three bytes of length, and 4.
    let is_http2 = begin.is_empty() || begin.get(3) == Some(&4);
    match is_http2 {
        true => format!("HTTP/2: {error}"),
        false => format!("the answer is not HTTP/2: {}", Excerpt(&begin)),
    }
}
