use std::time::Duration;

use proptest::prelude::*;

use super::{message, reads, round_trips};
use crate::health::Outcome;
#[cfg(feature = "health-grpc")]
use crate::health::probe::GrpcCheck;
use crate::health::probe::{
    AgentCheck, Check, CheckFuture, CommandAnswer, CommandCheck, Exchange, Origin, Probe,
};
#[cfg(feature = "health-dns")]
use crate::health::probe::{DnsCheck, DnsCode, DnsType};
#[cfg(all(feature = "health-http", feature = "health-tls"))]
use crate::health::probe::{HttpCheck, HttpVersion, TlsCheck, TlsOptions};

fn yaml(text: &str) -> Probe {
    serde_saphyr::from_str(text).unwrap()
}

#[test]
fn each_kind_has_a_key() {
    let ms = Duration::from_millis;
    assert_eq!(yaml("tcp"), Probe::tcp());
    assert_eq!(yaml("icmp"), Probe::icmp());
    assert_eq!(yaml("tcp: {}"), Probe::tcp());
    let redis = Exchange::new("PING\r\n", "+PONG");
    assert_eq!(
        yaml("tcp: {send: \"PING\\r\\n\", expect: +PONG}\ntimeout: 500ms\nport: 6379"),
        Probe::tcp_exchange(redis).timeout(ms(500)).port(6379)
    );
    assert_eq!(yaml("tcp: {expect: ''}"), Probe::tcp_exchange(Exchange::new("", "")));
    assert_eq!(
        yaml("udp: {send: {hex: 00fF}, expect: ''}"),
        Probe::udp(Exchange::new([0, 255], ""))
    );
    assert_eq!(yaml("udp: {send: hello}"), Probe::udp_send(b"hello".into()));
    assert_eq!(yaml("agent: {}\nport: 9000"), Probe::agent(AgentCheck::new()).port(9000));
    let trusted = AgentCheck::new().most(crate::health::Share::percent(300));
    assert_eq!(yaml("agent: {most: 300}"), Probe::agent(trusted));
    let origin = Origin::new()
        .source([192, 0, 2, 1].into())
        .interface("eth0")
        .mark(7)
        .namespace("/run/netns/blue");
    assert_eq!(
        yaml(
            "icmp: {}\norigin: {source: 192.0.2.1, interface: eth0, mark: 7, namespace: /run/netns/blue}"
        ),
        Probe::icmp().origin(origin)
    );
    let command = CommandCheck::new("/usr/bin/check", ["-v", ""]).answer(CommandAnswer::Line);
    assert_eq!(
        yaml("command: {program: /usr/bin/check, arguments: [-v, ''], answer: line}"),
        Probe::command(command)
    );
    assert_eq!(yaml("tcp: {}\nthrough: true"), Probe::tcp().through());
}

#[cfg(all(feature = "health-grpc", feature = "health-tls"))]
#[test]
fn grpc_has_keys() {
    let orders = GrpcCheck::new().service("shop.v1.Orders").unwrap().host("shop:80").unwrap();
    let orders = Probe::grpc(orders.tls(TlsOptions::new().minimum_days(7)));
    let text = "grpc: {service: shop.v1.Orders, host: 'shop:80', tls: {minimum_days: 7}}";
    assert_eq!(yaml(text), orders);
    round_trips(&orders);
    assert_eq!(yaml("grpc: {}"), Probe::grpc(GrpcCheck::new()));
    round_trips(&Probe::grpc(GrpcCheck::new()));
}

#[cfg(feature = "health-dns")]
#[test]
fn dns_has_keys() {
    let dns = DnsCheck::new("www.example.com", DnsType::AAAA).unwrap().recursion(false).tcp();
    let dns = Probe::dns(dns.address("2001:db8::7".parse().unwrap()).unwrap());
    let text = "dns: {name: www.example.com, type: AAAA, addresses: ['2001:db8::7'], \
                recursion: false, tcp: true}";
    assert_eq!(yaml(text), dns);
    round_trips(&dns);
    let odd = DnsCheck::new(".", DnsType(65)).unwrap().code(DnsCode::new(9).unwrap());
    round_trips(&Probe::dns(odd));
    assert_eq!(
        yaml("dns: {name: x.example, code: NXDOMAIN}"),
        Probe::dns(DnsCheck::new("x.example", DnsType::A).unwrap().code(DnsCode::NX_DOMAIN))
    );
    for (json, expected) in [
        (r#"{"dns": {}}"#, "missing field `name`"),
        (r#"{"dns": {"name": "a..b"}}"#, "name \"a..b\": must be labels"),
        (r#"{"dns": {"name": "a", "type": "B"}}"#, "type \"B\": must be A, NS"),
        (r#"{"dns": {"name": "a", "code": 16}}"#, "code 16: must be 0 to 15"),
        (r#"{"dns": {"name": "a", "addresses": ["::1"]}}"#, "address ::1: must be of the type"),
    ] {
        let message = message::<Probe>(json);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[cfg(all(feature = "health-http", feature = "health-tls"))]
#[test]
fn http_and_tls_have_keys() {
    let check = HttpCheck::get("/healthz?x=1")
        .unwrap()
        .method("HEAD")
        .unwrap()
        .host("www.example.com:8443")
        .unwrap()
        .header("x-check", "director: 1")
        .unwrap()
        .status(200..=200)
        .unwrap()
        .status(300..=399)
        .unwrap()
        .body_matches("a|b")
        .unwrap()
        .body_limit(100)
        .unwrap()
        .redirects(2)
        .version(HttpVersion::Http2)
        .tls(TlsOptions::new().server_name("a.example").unwrap().minimum_days(14));
    let text = "http:\n  path: /healthz?x=1\n  method: HEAD\n  host: www.example.com:8443\n  \
                headers: ['X-Check: director: 1']\n  status: [200, 300-399]\n  matches: a|b\n  \
                body_limit: 100\n  redirects: 2\n  version: http2\n  \
                tls: {server_name: a.example, minimum_days: 14}\n";
    assert_eq!(yaml(text), Probe::http(check.clone()));
    round_trips(&Probe::http(check));
    assert_eq!(yaml("http: {}"), Probe::http(HttpCheck::get("/").unwrap()));
    let contains = HttpCheck::get("/").unwrap().body_contains("ok");
    round_trips(&Probe::http(contains));
    let authority = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let trusted = TlsOptions::new().authorities(authority.cert.pem()).unwrap();
    let tls = TlsCheck::new(trusted.clone().without_verification());
    round_trips(&Probe::tls(tls.exchange(Exchange::new("EHLO x", "250"))));
    round_trips(&trusted);
    let secret = trusted
        .client_certificate(authority.cert.pem(), authority.signing_key.serialize_pem())
        .unwrap();
    let error = serde_json::to_string(&secret).unwrap_err().to_string();
    assert_eq!(error, "a client's key stays secret and is not written");
    let pem = serde_json::json!({
        "client_certificate": authority.cert.pem(),
        "client_key": authority.signing_key.serialize_pem(),
        "authorities": authority.cert.pem(),
    });
    assert_eq!(serde_json::from_value::<TlsOptions>(pem).unwrap(), secret);
    for (json, expected) in [
        (r#"{"http": {"path": "x"}}"#, "path \"x\": must begin with /"),
        (r#"{"http": {"headers": ["x"]}}"#, "header without a colon: must be like"),
        (r#"{"http": {"headers": ["Host: x"]}}"#, "header \"Host\": must be the name"),
        (r#"{"http": {"status": [99]}}"#, "status 99-99: must be codes from 100 to 999"),
        (r#"{"http": {"status": ["5-"]}}"#, "status \"5-\": must be a code like 200"),
        (r#"{"http": {"status": []}}"#, "status: must have a code"),
        (r#"{"http": {"contains": "a", "matches": "b"}}"#, "contains beside matches"),
        (r#"{"http": {"matches": "("}}"#, "body pattern \"(\""),
        (r#"{"http": {"body_limit": 0}}"#, "body limit 0: must be 1 to 1048576"),
        (r#"{"http": {"tls": {"send": ""}}}"#, "send and expect: must not be given here"),
        (r#"{"tls": {"client_key": "x"}}"#, "client_certificate alone: must be given with"),
        (r#"{"tls": {"server_name": "a b"}}"#, "server name \"a b\": must be a name"),
        (r#"{"tls": {"send": "x"}}"#, "tls has send and no expect"),
    ] {
        let message = message::<Probe>(json);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn errors_name_the_field_the_value_and_the_rule() {
    for (json, expected) in [
        ("{}", "a probe must have one key that says what is done, such as tcp"),
        (r#""udp""#, "probe \"udp\": must be tcp, icmp or a mapping"),
        (r#"{"tcp": {}, "icmp": {}}"#, "a probe has tcp and icmp: it must have one of them"),
        (
            r#"{"tcp": {"send": "x"}}"#,
            "tcp has send and no expect: write expect: \"\" for any answer",
        ),
        (r#"{"tcp": {}, "timeout": 0}"#, "timeout 0s: must be at least 1 ms and at most 365 days"),
        (r#"{"tcp": {}, "timeout": "2d"}"#, "timeout 172800s: must be at most a day"),
        (r#"{"tcp": {}, "port": 0}"#, "port 0: must be 1 to 65535"),
        (
            r#"{"tcp": {}, "port": 65536}"#,
            "invalid value: integer `65536`, expected port, 1 to 65535, a whole number",
        ),
        (r#"{"icmp": {}, "port": 1}"#, "port 1: must not be given: ICMP has no ports"),
        (r#"{"icmp": {"x": 1}}"#, "unknown field `x`, there are no fields"),
        (r#"{"udp": {"send": {"hex": "0"}}}"#, "send in hex: must be pairs of hexadecimal digits"),
        (
            r#"{"udp": {"send": 5}}"#,
            "invalid type: integer `5`, expected send, a text of at most 65536 bytes or a mapping with the key hex",
        ),
        (r#"{"command": {}}"#, "missing field `program`"),
        (r#"{"command": {"program": ""}}"#, "program \"\": must not be empty"),
        (
            r#"{"command": {"program": "a", "answer": "x"}}"#,
            "answer \"x\": must be code, weight-code or line",
        ),
        (
            r#"{"command": {"program": "a"}, "origin": {"mark": 1}}"#,
            "origin of a command: must have a network namespace alone",
        ),
        (
            r#"{"tcp": {}, "origin": {"source": "eth0"}}"#,
            "source \"eth0\": must be an address like 192.0.2.1 or 2001:db8::1",
        ),
        (
            r#"{"tcp": {}, "origin": {"interface": "a/b"}}"#,
            "interface \"a/b\": must be 1 to 15 bytes without slashes, colons, spaces and control characters",
        ),
        (
            r#"{"tcp": {}, "origin": {"namespace": ""}}"#,
            "namespace \"\": must be the path of a file",
        ),
    ] {
        assert_eq!(message::<Probe>(json), expected);
    }
}

struct Always;

impl Check for Always {
    fn check(&self, _: std::net::SocketAddr) -> CheckFuture<'_> {
        Box::pin(async { Outcome::passed() })
    }
}

#[test]
fn a_check_of_the_programs_own_is_not_written() {
    let custom = Probe::custom("always", Always);
    let error = serde_json::to_string(&custom).unwrap_err().to_string();
    assert_eq!(error, "a check of the program's own is not written");
}

#[test]
fn texts_made_to_do_harm_take_little() {
    for open in ["[", "{\"tcp\":", "{tcp: ", "- ", "{a={", "tcp = [", "{\"command\":"] {
        reads::<Probe>(open.repeat(20_000).as_bytes());
    }
    let long = "a".repeat(70_000);
    for json in [
        format!(r#"{{"udp": {{"send": "{long}"}}}}"#),
        format!(r#"{{"command": {{"program": "{long}"}}}}"#),
        format!(r#"{{"{long}": 1}}"#),
        format!(r#"{{"tcp": {{}}, "timeout": "{long}"}}"#),
        format!(r#""{long}""#),
    ] {
        let message = message::<Probe>(&json);
        assert!(message.starts_with("invalid length 70000, expected "), "{message}");
        assert!(message.len() < 300);
    }
    let arguments = "\"\",".repeat(100_000);
    let json = format!(r#"{{"command": {{"program": "a", "arguments": [{arguments} ""]}}}}"#);
    assert_eq!(message::<Probe>(&json), "arguments: must be at most 1024");
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![prop::collection::vec(any::<u8>(), 0..40), ".{0,40}".prop_map(String::into_bytes),]
}

fn probe() -> impl Strategy<Value = Probe> {
    let exchange = || (bytes(), bytes()).prop_map(|(send, expect)| Exchange { send, expect });
    let answer = prop::sample::select(vec![
        CommandAnswer::Code,
        CommandAnswer::WeightCode,
        CommandAnswer::Line,
    ]);
    let command = ("[^\\x00]{1,20}", prop::collection::vec("[^\\x00]{0,20}", 0..4), answer)
        .prop_map(|(program, arguments, answer)| CommandCheck { program, arguments, answer });
    let kind = prop_oneof![
        Just(Probe::tcp()),
        Just(Probe::icmp()),
        exchange().prop_map(Probe::tcp_exchange),
        exchange().prop_map(Probe::udp),
        bytes().prop_map(Probe::udp_send),
        (bytes(), any::<u16>()).prop_map(|(send, most)| {
            let most = crate::health::Share::percent(most);
            Probe::agent(AgentCheck::new().send(send).most(most))
        }),
        command.prop_map(Probe::command),
    ];
    let namespace = prop::option::of("[^\\x00]{1,20}");
    let interface = prop::option::of("[a-z0-9.@]{3,15}");
    let origin = (any::<Option<std::net::IpAddr>>(), interface, any::<Option<u32>>());
    let timeout = 1..86_400_000_u64;
    (kind, timeout, any::<Option<u16>>(), any::<bool>(), origin, namespace).prop_map(
        |(mut probe, timeout, port, through, (source, interface, mark), namespace)| {
            probe.timeout = Duration::from_millis(timeout);
            probe.port = port.filter(|port| *port > 0);
            probe.port = probe.port.filter(|_| probe.kind != Probe::icmp().kind);
            probe.through = through;
            if !matches!(probe.kind, crate::health::probe::ProbeKind::Command(_)) {
                probe.origin.source = source;
                probe.origin.interface = interface;
                probe.origin.mark = mark;
            }
            probe.origin.namespace = namespace.map(Into::into);
            probe
        },
    )
}

proptest! {
    #[test]
    fn probes_round_trip(probe in probe()) {
        prop_assert_eq!(probe.validate(), Ok(()));
        round_trips(&probe);
    }

    #[test]
    fn text_with_changes(changes in prop::collection::vec((0..100_usize, any::<u8>()), 1..4)) {
        let mut text = br#"{"tcp": {"send": {"hex": "00"}, "expect": "x"}, "origin": {"mark": 1}}"#.to_vec();
        for (at, byte) in changes {
            if let Some(place) = text.get_mut(at) {
                *place = byte;
            }
        }
        reads::<Probe>(&text);
    }
}
