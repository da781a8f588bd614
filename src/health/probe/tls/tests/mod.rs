//! Checks over TLS against servers on this host.

mod authority;
mod hostile;

use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime};

use rustls::server::ServerConfig;
use rustls::{ServerConnection, StreamOwned};

use super::*;
use crate::health::Outcome;
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
use crate::health::probe::tests::servers::in_runtime;
use crate::health::probe::tests::servers::{check, raw, reason};
use crate::health::probe::{Exchange, Probe};
use crate::model::InvalidValue;
pub(in crate::health::probe) use authority::{Authority, DAY, self_signed};

type Stream = StreamOwned<ServerConnection, std::net::TcpStream>;

/// Starts a server that speaks TLS as the configuration in the cell says. It has `serve` answer.
pub(in crate::health::probe) fn server(
    config: &Arc<Mutex<Arc<ServerConfig>>>,
    serve: impl Fn(&mut Stream) + Send + 'static,
) -> SocketAddr {
    let config = Arc::clone(config);
    raw(move |stream| {
        let config = Arc::clone(&config.lock().unwrap());
        let connection = ServerConnection::new(config).unwrap();
        serve(&mut StreamOwned::new(connection, stream));
    })
}

/// Starts a server that has `talk` talk over TLS on each connection, in a runtime.
#[cfg(any(feature = "health-grpc", feature = "health-http"))]
pub(in crate::health::probe) fn async_server(
    config: Arc<ServerConfig>,
    talk: impl AsyncFn(tokio_rustls::server::TlsStream<tokio::net::TcpStream>) + Send + 'static,
) -> SocketAddr {
    raw(move |stream| {
        in_runtime(stream, async |stream| {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&config));
            if let Ok(stream) = acceptor.accept(stream).await {
                talk(stream).await;
            }
        });
    })
}

/// Starts a server that answers `PING`.
fn redis(config: &Arc<ServerConfig>) -> (SocketAddr, Arc<Mutex<Arc<ServerConfig>>>) {
    let config = Arc::new(Mutex::new(Arc::clone(config)));
    let serve = |stream: &mut Stream| {
        let mut request = [0; 6];
        if stream.read_exact(&mut request).is_ok() && &request == b"PING\r\n" {
            let _ = stream.write_all(b"+PONG\r\n");
        }
    };
    (server(&config, serve), config)
}

fn ping(options: TlsOptions) -> Probe {
    Probe::tls(TlsCheck::new(options).exchange(Exchange::new("PING\r\n", "+PONG")))
        .timeout(Duration::from_secs(20))
}

fn trusting(authority: &Authority) -> TlsOptions {
    TlsOptions::new().authorities(&authority.pem).unwrap()
}

#[test]
fn a_server_of_a_known_authority_passes() {
    let authority = Authority::new();
    let signed = authority.sign(&["127.0.0.1", "redis.example"], 30);
    let (address, _) = redis(&signed.server(None, &[]));
    let options = trusting(&authority);
    assert_eq!(check(&Probe::tls(TlsCheck::new(options.clone())), address), Outcome::passed());
    assert_eq!(check(&ping(options.clone()), address), Outcome::passed());
    let by_name = options.clone().server_name("redis.example").unwrap();
    assert_eq!(check(&ping(by_name), address), Outcome::passed());
    let other = reason(check(&ping(options.server_name("other.example").unwrap()), address));
    assert!(
        other.starts_with("TLS: the certificate is not for other.example, but for: ")
            && other.contains("redis.example"),
        "{other}"
    );
    let unknown = ping(trusting(&Authority::new()));
    // The authorities have the same name, and other keys.
    let unknown = reason(check(&unknown, address));
    let unsigned = "TLS: the certificate has not been signed by an authority that is trusted";
    assert_eq!(unknown, unsigned);
    let other = TlsOptions::new().authorities(self_signed(&["a.example"]).certificate).unwrap();
    let unknown = reason(check(&ping(other), address));
    assert_eq!(unknown, "TLS: the certificate is of no authority that is trusted");
    assert_eq!(check(&ping(TlsOptions::new().without_verification()), address), Outcome::passed());
}

#[test]
fn the_system_has_authorities_of_its_own() {
    let (address, _) = redis(&Authority::new().sign(&["127.0.0.1"], 30).server(None, &[]));
    match check(&ping(TlsOptions::new()), address) {
        Outcome::Failed(refused) => {
            assert!(refused.starts_with("TLS: the certificate is of no authority"), "{refused}");
        }
        // A system without certificates: that is not the server's fault.
        Outcome::NotDone(reason) => {
            assert!(reason.starts_with("TLS: the system has no authorities"), "{reason}");
        }
        passed => panic!("{passed:?}"),
    }
}

#[test]
fn dates_are_checked_at_each_handshake() {
    let authority = Authority::new();
    let names = ["127.0.0.1"];
    let (address, config) = redis(&authority.sign(&names, 3).server(None, &[]));
    let set = |signed: &authority::Signed| *config.lock().unwrap() = signed.server(None, &[]);
    let options = trusting(&authority);
    let probe = ping(options.clone());
    assert_eq!(check(&probe, address), Outcome::passed());
    assert_eq!(check(&ping(options.clone().minimum_days(3)), address), Outcome::passed());
    let soon = "TLS: the certificate ends in 3 days; required: 14 days";
    assert_eq!(reason(check(&ping(options.clone().minimum_days(14)), address)), soon);
    // Even where a session could have been resumed.
    let now = SystemTime::now();
    set(&authority.sign_between(&names, now - DAY * 9, now - DAY * 2 - DAY / 24));
    let expired = "TLS: the certificate expired 2 days ago";
    assert_eq!(reason(check(&probe, address)), expired);
    let careless = TlsOptions::new().without_verification();
    assert_eq!(check(&ping(careless.clone()), address), Outcome::passed());
    assert_eq!(reason(check(&ping(careless.clone().minimum_days(0)), address)), expired);
    set(&authority.sign_between(&names, now + DAY + DAY / 24, now + DAY * 9));
    let early = "TLS: the certificate begins in 1 day";
    assert_eq!(reason(check(&probe, address)), early);
    set(&authority.sign(&names, 30));
    assert_eq!(check(&probe, address), Outcome::passed());
}

#[test]
fn a_certificate_that_its_server_signed_passes_as_its_own_authority() {
    let signed = self_signed(&["127.0.0.1"]);
    let (address, _) = redis(&signed.server(None, &[]));
    let options = TlsOptions::new().authorities(&signed.certificate).unwrap();
    assert_eq!(check(&ping(options.clone()), address), Outcome::passed());
    let named = reason(check(&ping(options.server_name("a.example").unwrap()), address));
    assert!(named.contains("not for a.example"), "{named}");
    // The same name and address, and another key.
    let other = self_signed(&["127.0.0.1"]);
    let options = TlsOptions::new().authorities(&other.certificate).unwrap();
    assert!(reason(check(&ping(options), address)).starts_with("TLS: the certificate is"));
}

#[test]
fn a_client_shows_its_certificate() {
    let authority = Authority::new();
    let signed = authority.sign(&["127.0.0.1"], 30);
    let (address, _) = redis(&signed.server(Some(&authority), &[]));
    let options = trusting(&authority);
    let refused = reason(check(&ping(options.clone()), address));
    assert!(refused.contains("CertificateRequired"), "{refused}");
    let client = authority.sign(&["director.example"], 30);
    let shown = options.clone().client_certificate(&client.certificate, &client.key).unwrap();
    assert_eq!(check(&ping(shown), address), Outcome::passed());
    let stranger = Authority::new().sign(&["director.example"], 30);
    let strange = options.client_certificate(&stranger.certificate, &stranger.key).unwrap();
    assert!(reason(check(&ping(strange), address)).contains("alert"));
}

#[test]
fn bad_options_are_refused_before_anything_is_sent() {
    let authority = Authority::new();
    let signed = authority.sign(&["a.example"], 30);
    let other = authority.sign(&["a.example"], 30);
    let options = TlsOptions::new();
    let text = |refused: Result<TlsOptions, InvalidValue>| refused.unwrap_err().to_string();
    assert_eq!(
        text(options.clone().authorities("")),
        "authorities (no certificate): must be certificates in PEM"
    );
    let cut = authority.pem.split("-----END").next().unwrap();
    assert!(text(options.clone().authorities(cut)).contains("(a section has no end)"));
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert!(text(options.clone().authorities(garbage)).starts_with("authorities ("));
    let client = |chain: &str, key: &str| options.clone().client_certificate(chain, key);
    assert!(text(client("", &signed.key)).starts_with("client certificate (no certificate)"));
    let no_key = text(client(&signed.certificate, &signed.certificate));
    assert!(no_key.starts_with("client key (no section of this kind)"), "{no_key}");
    let wrong = text(client(&signed.certificate, &other.key));
    assert!(wrong.ends_with("must be the key of the client certificate"), "{wrong}");
    for name in ["", "a b", "a..b", "-"] {
        assert!(options.clone().server_name(name).is_err(), "{name}");
    }
    assert!(options.server_name("2001:db8::1").is_ok());
}

#[test]
fn options_compare_by_what_they_say_and_hide_keys() {
    let authority = Authority::new();
    let client = authority.sign(&["a.example"], 30);
    let make =
        || trusting(&authority).client_certificate(&client.certificate, &client.key).unwrap();
    assert_eq!(make(), make());
    assert_ne!(make(), make().minimum_days(1));
    assert_ne!(make(), trusting(&authority));
    assert_eq!(make().cmp(&make()), std::cmp::Ordering::Equal);
    let shown = format!("{:?}", make());
    assert_eq!(
        shown,
        "TlsOptions { authorities: true, client_certificate: true, server_name: None, \
         minimum_days: None, unverified: false }"
    );
}

#[test]
fn equal_settings_are_made_into_one_configuration_once() {
    let authority = Authority::new();
    let (address, _) = redis(&authority.sign(&["127.0.0.1"], 30).server(None, &[]));
    let options = trusting(&authority);
    let config = |options: &TlsOptions| {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let made = options.configs().of(options.settings(), Application::Any);
        runtime.block_on(made).unwrap()
    };
    let first = config(&options);
    assert_eq!(check(&ping(options.clone()), address), Outcome::passed());
    assert!(Arc::ptr_eq(&first, &config(&options.clone())));
    assert!(!Arc::ptr_eq(&first, &config(&options.minimum_days(1))));
}
