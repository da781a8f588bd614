use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::health::probe::tests::servers::in_runtime;
pub(super) use crate::health::probe::tests::servers::raw;

/// Reads the head of a request.
pub(super) fn head(stream: &mut impl Read) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        head.extend(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// Starts a server that answers each request and closes. Returns the requests, too.
pub(super) fn server(
    answer: impl Fn(&str) -> String + Send + 'static,
) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let requests: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&requests);
    let address = raw(move |mut stream| {
        let request = head(&mut stream);
        let _ = stream.write_all(answer(&request).as_bytes());
        seen.lock().unwrap().push(request);
    });
    (address, requests)
}

/// Starts a server that answers each request the same.
pub(super) fn constant(answer: impl Into<String>) -> SocketAddr {
    let answer = answer.into();
    server(move |_| answer.clone()).0
}

/// An answer with a length.
pub(super) fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

/// Serves HTTP/2 on a stream: each request gets the status and the body for its path.
pub(super) async fn serve_http2<S>(stream: S, answer: fn(&str) -> (u16, &'static str))
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let (status, body) = answer(&request.uri().to_string());
        let head = hyper::Response::builder().status(status).body(()).unwrap();
        if let Ok(mut stream) = respond.send_response(head, body.is_empty()) {
            if !body.is_empty() {
                let _ = stream.send_data(body.into(), true);
            }
        }
    }
}

/// Starts a server of HTTP/2 without TLS.
pub(super) fn http2(answer: fn(&str) -> (u16, &'static str)) -> SocketAddr {
    raw(move |stream| in_runtime(stream, async |stream| serve_http2(stream, answer).await))
}
