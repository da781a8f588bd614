//! The HTTP server. Its clients are not trusted: how many there are, and the time and size of what they send,
//! has limits. A connection serves one request.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::silent::Silent;

/// How long a client may take to send its request.
const REQUEST_TIME: Duration = Duration::from_secs(3);
/// The longest head of a request, in bytes: the least that `hyper` takes.
const LONGEST_REQUEST: usize = 8 << 10;
/// How many connections wait in the kernel until they are accepted.
const BACKLOG: u32 = 128;

/// An answer.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Limits of one listener.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How many connections a listener serves at once. The next client takes the place of the oldest one that has
    /// not sent its request. If there is none, it waits, and further ones wait in the kernel.
    pub(crate) connections: usize,
    /// How many connections all listeners with this semaphore serve at once.
    pub(crate) together: Arc<Semaphore>,
    /// The connections without a request of these listeners.
    pub(crate) silent: Silent,
    /// How long an answer may take, until the client has all of it.
    pub(crate) time: Duration,
}

/// Listens at an address. An unspecified one, such as `0.0.0.0`, stands for all addresses of both families, as
/// in Go.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_unspecified() {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        };
        return bind(socket?, address);
    }
    match both_families() {
        Ok(socket) => bind(socket, (Ipv6Addr::UNSPECIFIED, address.port()).into()),
        // The kernel has no IPv6.
        Err(_) => bind(TcpSocket::new_v4()?, (Ipv4Addr::UNSPECIFIED, address.port()).into()),
    }
}

fn both_families() -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v6()?;
    rustix::net::sockopt::set_ipv6_v6only(&socket, false)?;
    Ok(socket)
}

fn bind(socket: TcpSocket, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the future is dropped, which also cuts what is being served.
pub(crate) async fn serve<F>(
    listener: TcpListener,
    limits: Limits,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
) where
    F: Future<Output = Answer> + Send + 'static,
{
    let own = Arc::new(Semaphore::new(limits.connections));
    let number = limits.silent.listener();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // No descriptor may be left, for a while, or the client has gone.
            sleep(Duration::from_millis(100)).await;
            continue;
        };
        // No other connection is accepted until this one has its places.
        let silent = &limits.silent;
        let Some(own) = place(&own, || silent.cut_oldest(Some(number))).await else { return };
        let together = place(&limits.together, || silent.cut_oldest(None)).await;
        let Some(together) = together else { return };
        let (waiting, is_cut) = silent.add(number);
        let (answer, time) = (answer.clone(), REQUEST_TIME + limits.time);
        connections.spawn(async move {
            let service = service_fn(move |request| {
                waiting.heard();
                let answered = answer_to(request, answer.clone());
                async { Ok::<_, Infallible>(answered.await) }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(REQUEST_TIME)
                .max_buf_size(LONGEST_REQUEST)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off, or reads too slowly, is no matter of the server.
            tokio::select! {
                _ = timeout(time, connection) => {}
                Ok(()) = is_cut => {}
            }
            drop((own, together));
        });
    }
}

/// Takes a place. If none is free, it calls `free`, and waits for one.
async fn place(places: &Arc<Semaphore>, free: impl FnOnce()) -> Option<OwnedSemaphorePermit> {
    if let Ok(place) = Arc::clone(places).try_acquire_owned() {
        return Some(place);
    }
    free();
    Arc::clone(places).acquire_owned().await.ok()
}

async fn answer_to<F: Future<Output = Answer>>(
    request: Request<Incoming>,
    answer: impl Fn(Request<Incoming>) -> F,
) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut refusal = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    answer(request).await
}

/// Returns an answer in plain text.
pub(crate) fn plain(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    with_type(status, "text/plain; charset=utf-8", text.into())
}

/// Returns an answer in JSON.
pub(crate) fn json(is_ok: bool, body: &impl serde::Serialize) -> Answer {
    let status = if is_ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    match serde_json::to_vec(body) {
        Ok(text) => with_type(status, "application/json", text.into()),
        Err(_) => plain(StatusCode::INTERNAL_SERVER_ERROR, "no answer\n"),
    }
}

/// Returns an answer with its media type.
pub(crate) fn with_type(status: StatusCode, media_type: &'static str, text: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(text));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;
    use std::thread;

    use tokio::runtime::Builder;

    use super::*;

    /// Serves with so many places, and returns the address.
    fn start(connections: usize, together: usize) -> SocketAddr {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let together = Arc::new(Semaphore::new(together));
        let limits =
            Limits { connections, together, silent: Silent::default(), time: REQUEST_TIME };
        let listen = async { listen((Ipv4Addr::LOCALHOST, 0).into()).unwrap() };
        let listener = runtime.block_on(listen);
        let address = listener.local_addr().unwrap();
        let answer = |_| async { plain(StatusCode::OK, "served") };
        thread::spawn(move || runtime.block_on(serve(listener, limits, answer)));
        address
    }

    fn answer(mut stream: &TcpStream) -> String {
        let mut text = String::new();
        // A client that is cut may get a reset.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: node\r\n\r\n");
        let _ = stream.read_to_string(&mut text);
        text
    }

    #[test]
    fn a_client_without_a_request_gives_way() {
        for (connections, together) in [(2, 8), (8, 2)] {
            let address = start(connections, together);
            let [oldest, older] = [(); 2].map(|()| TcpStream::connect(address).unwrap());
            assert!(answer(&TcpStream::connect(address).unwrap()).ends_with("served"));
            assert_eq!(answer(&oldest), "");
            assert!(answer(&older).ends_with("served"));
        }
    }
}
