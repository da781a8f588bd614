use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::servers::{answer, constant, head, http2, raw, server};
use super::*;

#[test]
fn the_status_decides() {
    passes(get("/"), constant(answer("204 No Content", "")));
    passes(get("/"), constant("HTTP/1.0 200 OK\r\n\r\n"));
    let unwell = constant(answer("503 Service Unavailable", ""));
    assert_eq!(fails(get("/"), unwell), "status 503; expected: 200-299");
    passes(get("/").status(503..=503).unwrap(), unwell);
    let both = get("/").status(200..=204).unwrap().status(301..=301).unwrap();
    assert_eq!(fails(both, unwell), "status 503; expected: 200-204, 301");
    passes(
        get("/").method("HEAD").unwrap(),
        constant("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"),
    );
}

#[test]
fn the_body_decides_where_it_is_asked_for() {
    let ready = constant(answer("200 OK", "{\"ready\": true}"));
    passes(get("/").body_contains("true"), ready);
    passes(get("/").body_matches(r#""ready":\s+true"#).unwrap(), ready);
    assert_eq!(
        fails(get("/").body_contains("false"), ready),
        r#"the first 15 bytes of the body do not contain "false": "{\"ready\": true}""#
    );
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n";
    passes(get("/").body_contains("ready"), constant(chunked));
    passes(get("/").body_matches("^ready$").unwrap(), constant(chunked));
    // A body without a length ends with the connection; one with a length must be whole.
    passes(get("/").body_matches("^ready$").unwrap(), constant("HTTP/1.1 200 OK\r\n\r\nready"));
    let cut = fails(
        get("/").body_matches("^ready$").unwrap(),
        constant("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nready"),
    );
    assert!(cut.starts_with("HTTP/1.1: "), "{cut}");
    let zipped = constant("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n\x1f\x08");
    let zipped = fails(get("/").body_contains("ready"), zipped);
    assert!(zipped.ends_with("(encoded as \"gzip\", and not decoded)"), "{zipped}");
}

#[test]
fn a_large_answer_of_an_error_page_is_judged_at_once() {
    let page = "x".repeat(300_000);
    let lost = constant(answer("404 Not Found", &page));
    let begin = Instant::now();
    assert_eq!(fails(get("/"), lost), "status 404; expected: 200-299");
    passes(get("/").status(404..=404).unwrap(), lost);
    passes(get("/").status(404..=404).unwrap().body_contains("xxx"), lost);
    let other = fails(get("/").status(404..=404).unwrap().body_contains("y"), lost);
    assert!(other.starts_with("the first 65536 bytes of the body do not contain \"y\""), "{other}");
    assert!(begin.elapsed() < Duration::from_secs(10), "none has waited for the timeout");
}

#[test]
fn redirects_are_followed_at_the_same_host_only() {
    let redirect =
        |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
    let (address, requests) = server(move |request| match request.split(' ').nth(1).unwrap() {
        "/" => redirect("/a/b"),
        "/a/b" => redirect("c?d"),
        "/a/c?d" => answer("200 OK", "found"),
        "/host" => redirect("http://evil.example/"),
        "/scheme" => redirect("https://www.example.com/"),
        "/nowhere" => "HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_owned(),
        _ => redirect("/loop"),
    });
    let site = |path: &str| get(path).host("www.example.com").unwrap();
    assert_eq!(fails(site("/"), address), "status 302; expected: 200-299");
    passes(site("/").status(302..=302).unwrap().redirects(5), address);
    passes(site("/").redirects(2).body_contains("found"), address);
    assert_eq!(fails(site("/").redirects(1), address), "more than 1 redirects");
    let host = fails(site("/host").redirects(9), address);
    assert_eq!(host, "a redirect to another host: \"http://evil.example/\"");
    let scheme = fails(site("/scheme").redirects(9), address);
    assert_eq!(scheme, "a redirect to another scheme: \"https://www.example.com/\"");
    assert_eq!(fails(site("/nowhere").redirects(9), address), "status 302: a redirect to nowhere");
    requests.lock().unwrap().clear();
    assert_eq!(fails(site("/loop").redirects(7), address), "more than 7 redirects");
    assert_eq!(requests.lock().unwrap().len(), 8);
}

#[test]
fn http2_is_spoken_where_it_is_asked_for() {
    let address = http2(|uri| match uri {
        "http://www.example.com/ready" => (200, "ready"),
        "http://www.example.com/empty" => (204, ""),
        _ => (404, "lost"),
    });
    let site = |path: &str| get(path).host("www.example.com").unwrap().version(HttpVersion::Http2);
    passes(site("/ready"), address);
    passes(site("/ready").body_matches("^ready$").unwrap(), address);
    passes(site("/empty"), address);
    assert_eq!(fails(site("/x"), address), "status 404; expected: 200-299");
    assert!(fails(site("/ready").body_contains("x"), address).contains("do not contain"));
    let old = fails(get("/"), address);
    assert!(old.contains("HTTP"), "{old}");
}

/// A server with Nagle's algorithm holds its second small segment until the first is acknowledged.
/// If the client delayed the acknowledgement, each check would take 40 to 200 ms.
#[test]
fn no_check_waits_for_a_delayed_acknowledgement() {
    static SERVED: AtomicUsize = AtomicUsize::new(0);
    let address = raw(|mut stream| {
        let _ = head(&mut stream);
        for part in ["HTTP/1.1 200 OK\r\n", "content-length: 5\r\n\r\n", "re", "ady"] {
            let _ = stream.write_all(part.as_bytes());
        }
        SERVED.fetch_add(1, Ordering::Relaxed);
    });
    let check = get("/").body_contains("ready");
    let mut times: Vec<_> = (0..21)
        .map(|_| {
            let begin = Instant::now();
            passes(check.clone(), address);
            begin.elapsed()
        })
        .collect();
    times.sort();
    // Some may wait for a processor, but not half of them.
    assert!(times[10] < Duration::from_millis(35), "{times:?}");
    assert_eq!(SERVED.load(Ordering::Relaxed), 21);
}
