//! Checks by gRPC against servers on this host.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use super::*;
use crate::health::Outcome;
use crate::health::probe::Probe;
use crate::health::probe::tests::servers::{check, in_runtime, raw, reason};

/// What a server answers a request and its message: a body if there is one, and trailers.
type Answer =
    fn(&Request<h2::RecvStream>, &[u8]) -> (Option<Vec<u8>>, Vec<(&'static str, &'static str)>);

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(stream: S, answer: Answer) {
    let Ok(mut connection) = h2::server::handshake(stream).await else { return };
    while let Some(Ok((mut request, mut respond))) = connection.accept().await {
        let mut message = Vec::new();
        // The connection has to be polled for the body to come.
        tokio::select! {
            () = async {
                while let Some(Ok(part)) = request.body_mut().data().await {
                    message.extend_from_slice(&part);
                }
            } => {}
            _ = std::future::poll_fn(|context| connection.poll_closed(context)) => return,
        }
        let (body, fields) = answer(&request, &message);
        let mut head = Response::builder().header("content-type", "application/grpc+proto");
        if body.is_none() {
            for (name, value) in &fields {
                head = head.header(*name, *value);
            }
        }
        let Ok(mut stream) = respond.send_response(head.body(()).unwrap(), body.is_none()) else {
            continue;
        };
        if let Some(body) = body {
            let _ = stream.send_data(Bytes::from(body), false);
            let trailers: HeaderMap = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect();
            let _ = stream.send_trailers(trailers);
        }
    }
}

fn server(answer: Answer) -> SocketAddr {
    raw(move |stream| in_runtime(stream, async |stream| serve(stream, answer).await))
}

/// A whole answer with the status of the health protocol.
fn health(status: u8) -> Option<Vec<u8>> {
    Some(vec![0, 0, 0, 0, 2, 8, status])
}

fn outcome(grpc: GrpcCheck, target: SocketAddr) -> Outcome {
    check(&Probe::grpc(grpc).timeout(Duration::from_secs(20)), target)
}

/// Serves the services `up` and `down`, and the whole server for a host.
fn shop() -> SocketAddr {
    server(|request, message| {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        assert_eq!(request.method(), "POST");
        assert_eq!(request.headers()["content-type"], "application/grpc");
        assert_eq!(request.headers()["te"], "trailers");
        let passed = vec![("grpc-status", "0")];
        match message {
            b"\0\0\0\0\x04\x0a\x02up" => (health(1), passed),
            b"\0\0\0\0\x06\x0a\x04down" => (health(2), passed),
            [0, 0, 0, 0, 0] if request.uri().host() == Some("shop.example") => (health(1), passed),
            b"\0\0\0\0\x05\x0a\x03cut" => (Some(vec![0, 0]), passed),
            b"\0\0\0\0\x06\x0a\x04mute" => (health(1), vec![]),
            b"\0\0\0\0\x06\x0a\x04long" => (Some(vec![0; 5000]), passed),
            _ => (None, vec![("grpc-status", "5"), ("grpc-message", "unknown\tservice")]),
        }
    })
}

#[test]
fn a_service_that_serves_passes() {
    let target = shop();
    let service = |name: &str| GrpcCheck::new().service(name).unwrap();
    assert_eq!(outcome(service("up"), target), Outcome::passed());
    let whole = GrpcCheck::new().host("shop.example").unwrap();
    assert_eq!(outcome(whole, target), Outcome::passed());
    let failure = |name| reason(outcome(service(name), target));
    assert_eq!(failure("down"), "gRPC: NOT_SERVING");
    assert_eq!(failure("no"), "gRPC: the service is not known: \"unknown\\tservice\"");
    assert!(failure("cut").starts_with("gRPC: the answer is no health message"));
    assert_eq!(failure("mute"), "gRPC: the answer has no status of the call");
    assert_eq!(failure("long"), "gRPC: an answer of more than 4096 bytes");
}

#[test]
fn other_servers_fail_by_name_and_in_time() {
    let failure = |serve: fn(TcpStream)| {
        let begin = Instant::now();
        let mut failed = None;
        let target = raw(serve);
        let used = allocation_counter::measure(|| {
            failed = Some(reason(outcome(GrpcCheck::new(), target)));
        });
        assert!(begin.elapsed() < Duration::from_secs(15), "it does not wait for the timeout");
        assert!(used.bytes_max < 256 * 1024, "{used:?}");
        failed.unwrap()
    };
    let old = failure(|mut stream| {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        while stream.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
    });
    assert!(old.starts_with("the answer is not HTTP/2: \"HTTP/1.1 400"), "{old}");
    let flood = failure(|mut stream| {
        let reads = stream.try_clone().unwrap();
        thread::spawn(move || std::io::copy(&mut &reads, &mut std::io::sink()));
        let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0].repeat(500);
        while stream.write_all(&settings).is_ok() {}
    });
    let known = ["the server sent 64 KiB", "HTTP/2: "];
    assert!(known.iter().any(|known| flood.starts_with(known)), "{flood}");
    // A server of pages.
    let page = server(|_, _| (Some(b"<html>".to_vec()), vec![]));
    assert!(reason(outcome(GrpcCheck::new(), page)).starts_with("gRPC: "));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hasty = Probe::grpc(GrpcCheck::new()).timeout(Duration::from_millis(100));
    let late = reason(check(&hasty, silent.local_addr().unwrap()));
    assert_eq!(late, "timeout after 100 ms");
}

#[test]
fn bad_values_are_refused_and_equal_ones_are_equal() {
    assert!(GrpcCheck::new().service("x".repeat(1025)).is_err());
    assert!(GrpcCheck::new().host("a b").is_err());
    let service = |name: &str| GrpcCheck::new().service(name).unwrap();
    assert_eq!(Probe::grpc(service("a")), Probe::grpc(service("a")));
    assert_ne!(service("a"), service("b"));
}

#[cfg(feature = "health-tls")]
#[test]
fn it_speaks_over_tls() {
    use crate::health::probe::TlsOptions;
    use crate::health::probe::tls::tests::{Authority, async_server};

    let authority = Authority::new();
    let config = authority.sign(&["shop.example"], 30).server(None, &["h2"]);
    let target = async_server(config, async |stream| {
        serve(stream, |request, _| {
            assert_eq!(request.uri().scheme_str(), Some("https"));
            (health(1), vec![("grpc-status", "0")])
        })
        .await;
    });
    let options = TlsOptions::new().authorities(&authority.pem).unwrap();
    let grpc = GrpcCheck::new().tls(options);
    let named = grpc.clone().host("shop.example:8443").unwrap();
    assert_eq!(outcome(named, target), Outcome::passed());
    assert!(reason(outcome(grpc, target)).contains("not for 127.0.0.1"));
}
