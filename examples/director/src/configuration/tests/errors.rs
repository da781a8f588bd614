use super::super::Format;
use super::refused;

/// Asserts that a text is refused with exactly these lines. Each is compared up to its end.
fn assert_lines(text: &str, format: Format, expected: &[&str]) {
    let lines = refused(text, format);
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "\nfound    {line}\nexpected {expected}");
    }
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
}

#[test]
fn settings_and_labels_are_told_with_their_places() {
    let text = "\
settings: {conntrack: on, sync_ports: 3, ../x: 1, sync_threshold: [3]}
write_settings: maybe
services:
- tcp: 192.0.2.10:80
  labels: {port: x, team: 5, a-b: y}
";
    assert_lines(
        text,
        Format::Yaml,
        &[
            "f:1:23: setting conntrack \"on\": must be 0 or 1",
            "f:1:39: setting sync_ports 3: must be a power of two, 1 to 64",
            "f:1:",
            "f:1:",
            "f:2:17: found \"maybe\", expected write_settings, true or false",
            "f:5:18: label \"port\": must have another name, because metrics use this one",
            "f:5:27: found 5, expected text of a label",
            "f:5:",
        ],
    );
}

#[test]
fn what_is_wrong_with_passive_signs_is_told() {
    for (text, expected) in [
        (
            "maybe",
            "f:1:16: found \"maybe\", expected passive_signs, tell, check, false or a mapping",
        ),
        ("true", "f:1:16: found true, expected passive_signs, tell, check, false or a mapping"),
        ("{on_sing: tell}", "f:1:17: unknown key \"on_sing\", did you mean on_sign?"),
        ("{on_sign: [tell]}", "f:1:26: found a list, expected on_sign, tell, check or false"),
        ("{interval: 1s}", "f:1:27: found a duration of 1s, expected 4s to 1h"),
        ("{most_connections: -1}", "f:1:35: "),
    ] {
        assert_lines(&format!("passive_signs: {text}\nservices: []\n"), Format::Yaml, &[expected]);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_its_place() {
    let text = "\
namspace: blue
timeouts: {tcp: 0, tcp_fin: x}
synchronization:
- role: master
  interface: eth0/
  id: 500
- {role: backup, interface: eth0, ttl: 0}
- {role: backup, interface: eth1}
drain: {until: no-trafic, deadline: 5m}
resync: 30x
marks: {from: 0x4000, to: 5}
defaults:
  forward: masquerad
  pace: {interval: 0, fal: 2}
  checks:
  - http: {path: health, statu: [1]}
    pace: {rise: -4}
  policy: {sorry: {address: 10.0.0.9, forward: masquerade}, quorum: 0}
  commands: {timeout: 9 s, available: [1]}
services:
- tcp: 192.0.2.10:443
  scheduler: wtf??
  wieght: 5
  policy: {quorum: 2, panik: 4}
  destinations:
  - address: 10.0.0.2:80
    weight: 3000000000
  - address: 10.0.0.3:80
    checks: [{icmp: {}, through: true}]
    wait: 3
  - address: 10.0.0.4:99999
    pace: {interval: 1s}
  - address: 10.0.0.2:80
  - 7
- tcp: 192.0.2.10:443
- udp: 192.0.2.10:53
  destinations: [{address: 10.0.0.5:0}]
";
    assert_lines(
        text,
        Format::Yaml,
        &[
            "f:1:1: unknown key \"namspace\", did you mean namespace?",
            "f:2:17: tcp timeout 0 s: must be at least 1 s",
            "f:2:29: timeout \"x\": must be like 90s, 5m, 1h30m or 1d, or a whole number",
            "f:5:14: interface \"eth0/\": must be 1 to 15 bytes without blanks",
            "f:6:7: found 500, expected a whole number of 0 to 255",
            "f:7:40: multicast ttl 0: must be at least 1",
            "f:9:16: found \"no-trafic\", expected no-traffic, no-active",
            "f:10:9: found \"30x\", expected a duration like 500ms, 90s or 5m",
            "f:11:8: range of marks 16384-5: must",
            "f:13:12: forward \"masquerad\": must be masquerade, direct",
            "f:14:20: interval 0s: must be at least 1 ms",
            "f:14:23: unknown key \"fal\", did you mean fall?",
            "f:16:18: path \"health\": must begin with /",
            "f:16:26: unknown key \"statu\", did you mean status?",
            "f:17:18: found -4, expected rise, 1 to 4294967295, a whole number",
            "f:18:29: destination \"10.0.0.9\": needs a port",
            "f:18:69: quorum 0: must be at least 1",
            "f:19:23: found \"9 s\", expected a duration",
            "f:19:40: found 1, expected a text; write numbers and true in quotes",
            "f:22:14: service TCP 192.0.2.10:443: scheduler \"wtf??\": must be 1 to 15",
            "f:23:3: unknown key \"wieght\", expected one of tcp, udp,",
            "f:24:23: unknown key \"panik\", did you mean panic?",
            "f:27:13: destination 10.0.0.2:80: weight 3000000000: must be at most 2147483647",
            "f:29:14: a check by ICMP cannot go through the virtual address",
            "f:29:14: a check through the virtual address needs a range of marks: write marks",
            "f:30:5: unknown key \"wait\", expected one of address, forward, weight, initial_weight, \
             thresholds, unchecked, checks, pace, combination",
            "f:31:14: destination \"10.0.0.4:99999\": the port must be at most 65535",
            "f:33:5: destination 10.0.0.2:80 is given twice; the first is in line 26",
            "f:34:5: found 7, expected a destination, a mapping with the keys address",
            "f:35:3: service TCP 192.0.2.10:443 is given twice; the first is in line 21",
            "f:37:18: destination 10.0.0.5:0 has port 0, so its checks need a port of their own",
        ],
    );
}

#[test]
fn toml_has_the_same_errors() {
    let text = "\
resync = 2026-01-01
[[services]]
tcp = '192.0.2.10:80'
chekcs = []
[[services.destinations]]
address = '10.0.0.2:80'
weight = -1
forward = 'masquerade'
[[services.destinations]]
address = '10.0.0.2:80'
forward = 'direct'
[[services.destinations]]
adress = '10.0.0.3:80'
";
    assert_lines(
        text,
        Format::Toml,
        &[
            "f:1:10: found a date or time, expected a duration",
            "f:4:1: unknown key \"chekcs\", did you mean checks?",
            "f:7:10: found -1, expected weight, 0 to 2147483647, a whole number",
            "f:9:1: destination 10.0.0.2:80 is given twice; the first is in line 5",
            "f:13:1: unknown key \"adress\", did you mean address?",
        ],
    );
    let lines = refused("a = [\nb = 3\n\n\"c = d\n", Format::Toml);
    assert!(lines.len() > 1 && lines[0].starts_with("f:"), "{lines:?}");
}

/// The parser of YAML says nothing that helps here.
#[test]
fn an_ipv6_address_without_quotes_is_told_as_one() {
    for (text, expected) in [
        (
            "services:\n- tcp: [2001:db8::10]:80\n",
            "f:2:22: an IPv6 address needs quotes: \"[2001:db8::10]:80\"",
        ),
        (
            "services:\n- tcp: 192.0.2.1:80\n  destinations:\n  - {address: [::2]:8080, weight: 1}\n",
            "f:4:20: an IPv6 address needs quotes: \"[::2]:8080\"",
        ),
        ("services: [a]:80\n", "f:1:14: "),
    ] {
        assert_lines(text, Format::Yaml, &[expected]);
    }
    assert!(!refused("services: [a]:80\n", Format::Yaml)[0].contains("IPv6"));
}

/// What follows from something that is told is not told, too.
#[test]
fn no_error_is_told_for_what_follows_from_another_one() {
    for (text, expected) in [
        (
            "defaults: {forward: nat}\nservices: [{tcp: 192.0.2.10:80, destinations: [{address: 10.0.0.2:80}]}]",
            &["f:1:21: forward \"nat\""][..],
        ),
        (
            "services: [{tcp: 192.0.2.10:80, forward: 9, destinations: [{address: 10.0.0.2:80}]}]",
            &["f:1:42: found 9, expected forward"],
        ),
        (
            "services: [{tcp: x, destinations: [{address: y, forward: direct}]}]",
            &["f:1:18: service address \"x\"", "f:1:46: destination \"y\""],
        ),
        (
            "defaults: {pace: {rise: 0}}\nservices: [{tcp: 192.0.2.10:80, checks: [tcp, icmp]}]",
            &["f:1:25: rise 0: must be at least 1"],
        ),
        (
            "services: [{tcp: 192.0.2.10:80, policy: {slow_start: {steps: 3}}}]",
            &["f:1:54: the key time is missing"],
        ),
        (
            "services: [{tcp: 192.0.2.10:80, checks: [{http: {path: 5}, timeout: 0}]}]",
            &["f:1:56: found 5, expected path", "f:1:69: timeout 0s"],
        ),
    ] {
        assert_lines(text, Format::Yaml, expected);
    }
}

#[test]
fn parts_that_do_not_go_together_are_told() {
    let of =
        |rest: &str| format!("services: [{{tcp: 192.0.2.10:80, forward: masquerade, {rest}}}]");
    for (text, expected) in [
        (of("checks: [tcp], combination: 2"), "f:1:82: combination 2: must be at most 1"),
        (
            of("policy: {sorry: {address: '[2001:db8::9]:80', forward: masquerade}}"),
            "f:1:70: service TCP 192.0.2.10:80: forwarding Masq: an address of the other family",
        ),
        (
            of("destinations: [{address: '[2001:db8::9]:80'}]"),
            "f:1:69: service TCP 192.0.2.10:80: destination [2001:db8::9]:80: ",
        ),
        (
            format!(
                "synchronization: [{{role: master, interface: a}}]\n{}",
                of("destinations: [{address: '[2001:db8::9]:80', forward: tunnel}]")
            ),
            "f:2:69: destination [2001:db8::9]:80 is of another family than its service",
        ),
        (
            "marks: {from: 1, to: 2}\nservices: [{fwmark: 5, checks: [{tcp: {}, port: 3, through: true}]}]"
                .to_owned(),
            "f:2:33: FWM 5 has no virtual address",
        ),
        (
            "marks: {from: 1, to: 2}\nservices: [{tcp: 192.0.2.10:80, checks: [{tcp: {}, through: true}], \
             forward: direct, destinations: [{address: 10.0.0.1:80}, {address: 10.0.0.2:80}, \
             {address: 10.0.0.3:80}]}]"
                .to_owned(),
            "f:2:12: 3 checks through virtual addresses need a mark each, and 2 are there",
        ),
        (
            format!("marks: {{from: 1, to: 9}}\n{}", of("checks: [{dns: {name: a}, through: true}]")),
            "f:2:63: a check by DNS over UDP, which may go on over TCP, cannot go through",
        ),
        (
            format!(
                "marks: {{from: 1, to: 9}}\n{}",
                of("checks: [{tcp: {}, through: true, timeout: 61s}]")
            ),
            "f:2:63: a check through the virtual address takes at most 60 s",
        ),
        (
            format!(
                "marks: {{from: 1, to: 9}}\n{}",
                of("checks: [{tcp: {}, through: true, origin: {mark: 7}}]")
            ),
            "f:2:63: a check through the virtual address cannot have the mark 7 of its own",
        ),
        (
            format!(
                "marks: {{from: 1, to: 9}}\n{}",
                of("checks: [{tcp: {}, through: true}], destinations: [{address: 10.0.0.1:80, forward: local}]")
            ),
            "f:2:105: destination 10.0.0.1:80: a check cannot be forwarded by ",
        ),
        (of("commands: {timeout: 3s}"), "f:1:64: commands without a program"),
        (
            "services: [{tcp: 192.0.2.10:80, commands: {available: [a]}}, {tcp: 192.0.2.10:81, \
             commands: {available: [a], shared_address: all}}]"
                .to_owned(),
            "f:1:93: service TCP 192.0.2.10:81: shared_address must be the same for all services of \
             192.0.2.10; the first is in line 1",
        ),
        (of("destinations: [{address: 10.0.0.1:80, thresholds: {upper: 1, lower: 2}, unchecked: true}]"),
            "f:1:69: TCP 192.0.2.10:80 -> 10.0.0.1:80: lower threshold 2"),
    ] {
        let lines = refused(&text, Format::Yaml);
        assert!(lines[0].starts_with(expected), "\nfound    {}\nexpected {expected}", lines[0]);
    }
}

#[test]
fn the_first_hundred_are_told_and_the_others_counted() {
    let wrong = "- 5\n".repeat(150);
    let lines = refused(&format!("services:\n{wrong}"), Format::Yaml);
    assert_eq!(lines.len(), 101);
    assert_eq!(lines[100], "f: and 50 more");
    let wrong = "- 5\n".repeat(11_000);
    let lines = refused(&format!("services:\n{wrong}"), Format::Yaml);
    assert_eq!(lines[100], "f: and at least 9900 more");
}
