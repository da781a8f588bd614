use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};

use super::servers::{answer, head, raw, serve_http2};
use super::*;
use crate::health::probe::TlsOptions;
use crate::health::probe::tls::tests::{Authority, async_server, server};

#[test]
fn https_speaks_the_version_that_was_agreed_on() {
    let authority = Authority::new();
    let signed = authority.sign(&["www.example.com"], 30);
    let config = Arc::new(Mutex::new(signed.server(None, &["http/1.1"])));
    let address = server(&config, |stream| {
        let request = head(stream);
        let status = if request.contains("host: www.example.com") { "200 OK" } else { "404 x" };
        let _ = stream.write_all(answer(status, "ready").as_bytes());
    });
    let options = TlsOptions::new().authorities(&authority.pem).unwrap();
    let site = get("/").host("www.example.com:8443").unwrap().tls(options.clone());
    passes(site.clone().body_contains("ready"), address);
    let other = get("/").host("other.example").unwrap().tls(options.clone());
    assert!(fails(other, address).contains("not for other.example"));
    // The certificate is for another name than the host that is asked for.
    let named = options.clone().server_name("www.example.com").unwrap();
    let other = get("/").host("other.example").unwrap().tls(named);
    assert_eq!(fails(other, address), "status 404; expected: 200-299");
    let newer = fails(site.clone().version(HttpVersion::Http2), address);
    assert_eq!(newer, "TLS: the server sent the alert NoApplicationProtocol");
    *config.lock().unwrap() = signed.server(None, &[]);
    let newer = fails(site.version(HttpVersion::Http2), address);
    assert_eq!(newer, "TLS: the server does not offer HTTP/2");
    assert!(fails(get("/"), address).contains("the answer is not HTTP/1.1"));
}

#[test]
fn http2_is_spoken_over_tls() {
    let authority = Authority::new();
    let config = authority.sign(&["www.example.com"], 30).server(None, &["h2"]);
    let address = async_server(config, async |stream| {
        serve_http2(stream, |uri| match uri {
            "https://www.example.com/" => (200, "ready"),
            _ => (404, ""),
        })
        .await;
    });
    let options = TlsOptions::new().authorities(&authority.pem).unwrap();
    let site = get("/").host("www.example.com").unwrap().tls(options);
    passes(site.clone().version(HttpVersion::Http2).body_contains("ready"), address);
    assert_eq!(fails(site, address), "TLS: the server sent the alert NoApplicationProtocol");
}

#[test]
fn plain_http_is_told_from_tls() {
    let options = TlsOptions::new().without_verification();
    let plain = raw(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(answer("400 Bad Request", "").as_bytes());
    });
    let refused = fails(get("/").tls(options), plain);
    assert!(refused.starts_with("TLS: the server does not speak TLS: \"HTTP/1.1 400"), "{refused}");
}
