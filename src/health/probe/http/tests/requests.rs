use std::io::{Read as _, Write as _};
use std::sync::mpsc;

use super::servers::{answer, head, raw, server};
use super::*;
use crate::health::probe::Origin;

#[test]
fn a_request_has_what_was_asked_for_and_no_more() {
    let (address, requests) = server(|_| answer("200 OK", ""));
    passes(get("/a?b=c"), address);
    let check = get("/")
        .method("OPTIONS")
        .unwrap()
        .host("www.example.com:8080")
        .unwrap()
        .header("User-Agent", "me")
        .unwrap()
        .header("x-a", "1")
        .unwrap()
        .header("x-a", "2")
        .unwrap();
    passes(check, address);
    let lines = |at: usize| -> Vec<String> {
        let mut lines: Vec<_> = requests.lock().unwrap()[at].lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines.retain(|line| !line.is_empty());
        lines
    };
    assert_eq!(
        lines(0),
        [
            "GET /a?b=c HTTP/1.1".to_owned(),
            "accept-encoding: identity".to_owned(),
            "accept: */*".to_owned(),
            "connection: close".to_owned(),
            format!("host: {address}"),
            format!("user-agent: ipvs-netlink/{}", env!("CARGO_PKG_VERSION")),
        ]
    );
    assert_eq!(
        lines(1),
        [
            "OPTIONS / HTTP/1.1",
            "accept-encoding: identity",
            "accept: */*",
            "connection: close",
            "host: www.example.com:8080",
            "user-agent: me",
            "x-a: 1",
            "x-a: 2",
        ]
    );
}

#[test]
fn bad_values_are_refused_before_anything_is_sent() {
    for path in ["", "a", "http://a/", "/a b", "/a\r\nx: y", "/a#b", "/\x1b", "*"] {
        assert!(HttpCheck::get(path).is_err(), "{path:?}");
    }
    for method in ["", "G T", "CONNECT", "GET\r\n"] {
        assert!(get("/").method(method).is_err(), "{method:?}");
    }
    for host in ["", "a b", "a/b", "u@a", "a:", ":80", "a:b", "a:99999", "a\r\nx: y", "a:1:2"] {
        assert!(get("/").host(host).is_err(), "{host:?}");
    }
    for host in ["a", "a:80", "192.0.2.1", "[2001:db8::1]", "[2001:db8::1]:443"] {
        assert!(get("/").host(host).is_ok(), "{host:?}");
    }
    for name in [
        "",
        "a b",
        "a:",
        "Host",
        "content-length",
        "Transfer-Encoding",
        "Connection",
        "keep-alive",
        "accept-encoding",
        "upgrade",
        "a\n",
    ] {
        assert!(get("/").header(name, "1").is_err(), "{name:?}");
    }
    for value in ["a\r\nx: y", "\0", "\x1b[2J", "ü"] {
        let refused = get("/").header("x-a", value).unwrap_err().to_string();
        assert!(!refused.contains(value), "{refused}");
    }
    assert!(get("/").body_matches("(").is_err());
    assert!(get("/").body_limit(0).is_err() && get("/").body_limit(1 << 21).is_err());
}

#[test]
fn checks_compare_by_what_they_say_and_hide_headers() {
    let make = || get("/").header("authorization", "Bearer secret").unwrap().body_contains("ok");
    assert_eq!(make(), make());
    assert_ne!(make(), make().body_contains("OK"));
    assert_ne!(make(), make().status(200..=200).unwrap());
    let other = get("/").header("authorization", "Bearer other").unwrap().body_contains("ok");
    assert_ne!(make(), other);
    let pattern = |text: &str| get("/").body_matches(text).unwrap();
    assert_eq!(pattern("a+"), pattern("a+"));
    assert!(pattern("a+") < pattern("b+"));
    assert!(!format!("{:?}", Probe::http(make())).contains("secret"));
}

#[test]
fn a_connection_is_closed_by_a_reset_once_the_answer_is_known() {
    let (told, tells) = mpsc::channel();
    let address = raw(move |mut stream| {
        let _ = head(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").unwrap();
        // Waits until the client is gone: the body is not waited for.
        told.send(stream.read(&mut [0; 1]).map_err(|error| error.kind())).unwrap();
    });
    passes(get("/"), address);
    let ended = tells.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(ended, Err(std::io::ErrorKind::ConnectionReset));
}

#[test]
fn a_request_comes_from_the_source_and_goes_to_the_port_that_are_given() {
    let (told, tells) = mpsc::channel();
    let address = raw(move |mut stream| {
        let _ = head(&mut stream);
        stream.write_all(answer("200 OK", "").as_bytes()).unwrap();
        told.send(stream.peer_addr().unwrap().ip()).unwrap();
    });
    let elsewhere = std::net::SocketAddr::new(address.ip(), 1);
    let source = [127, 0, 0, 2].into();
    let probe = patient(get("/")).origin(Origin::new().source(source)).port(address.port());
    assert_eq!(check(&probe, elsewhere), Outcome::passed());
    assert_eq!(tells.recv_timeout(Duration::from_secs(20)), Ok(source));
}
