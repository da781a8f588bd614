//! Where it is wrong: the line is the format's to know, if it is told in time.

use crate::table::Table;

/// The first line of the message; the text itself follows.
fn yaml(text: &str) -> String {
    let message = serde_saphyr::from_str::<Table>(text).unwrap_err().to_string();
    message.lines().next().unwrap().to_owned()
}

/// The first line of the message and the last one, without the text between them.
fn toml(text: &str) -> String {
    let message = toml::from_str::<Table>(text).unwrap_err().to_string();
    let mut lines = message.lines();
    format!("{}: {}", lines.next().unwrap(), lines.next_back().unwrap())
}

fn json(text: &str) -> String {
    serde_json::from_str::<Table>(text).unwrap_err().to_string()
}

fn check(read: fn(&str) -> String, text: &str, cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        assert!(text.contains(from), "{from}");
        assert_eq!(read(&text.replacen(from, to, 1)), *expected, "{to}");
    }
}

const YAML: &str = "services:
  - tcp: 192.0.2.10:80
    destinations:
      - address: 10.0.0.2:80
        forward: direct
        weight: 3
      - address: 10.0.0.3:80
        forward: direct
        weight: 3
  - udp: \"[2001:db8::1]:53\"
    persistence:
      timeout: 5m
      prefix: 64
";

const TOML: &str = "[[services]]
tcp = '192.0.2.10:80'

[[services.destinations]]
address = '10.0.0.2:80'
forward = 'direct'
weight = 3

[[services.destinations]]
address = '10.0.0.3:80'
forward = 'direct'
weight = 3

[[services]]
udp = '[2001:db8::1]:53'
persistence = {timeout = '5m', prefix = 64}
";

const JSON: &str = r#"{"services": [
  {"tcp": "192.0.2.10:80", "destinations": [
    {"address": "10.0.0.2:80", "forward": "direct", "weight": 3},
    {"address": "10.0.0.3:80", "forward": "direct"}
  ]}
]}"#;

#[test]
fn of_yaml() {
    assert_eq!(serde_saphyr::from_str::<Table>(YAML).unwrap().len(), 2);
    check(
        yaml,
        YAML,
        &[
            (
                "forward: direct\n        weight: 3\n  -",
                "forward: direct\n        wieght: 3\n  -",
                "error: line 9 column 9: unknown field `wieght`, expected one of address, \
                 forward, weight, initial_weight, thresholds, unchecked",
            ),
            (
                "weight: 3\n  -",
                "weight: -1\n  -",
                "error: line 9 column 9: invalid value: integer `-1`, expected weight, 0 to \
                 2147483647, a whole number",
            ),
            (
                "weight: 3\n  -",
                "weight:\n  -",
                "error: line 9 column 9: invalid type: null, expected weight, 0 to \
                 2147483647, a whole number",
            ),
            (
                "weight: 3\n  -",
                "weight: 3\n        weight: 3\n  -",
                "error: line 10 column 9: duplicate mapping key: weight, set DuplicateKeyPolicy \
                 in Options if acceptable",
            ),
            (
                "weight: 3\n  -",
                "weight: 3000000000\n  -",
                "error: line 7 column 9: destination 10.0.0.3:80: weight 3000000000: must be at \
                 most 2147483647",
            ),
            (
                "address: 10.0.0.3:80\n        ",
                "",
                "error: line 8 column 9: missing field `address`",
            ),
            (
                "10.0.0.3:80",
                "10.0.0.3",
                "error: line 7 column 18: destination \"10.0.0.3\": needs a port, as in \
                 10.0.0.2:8080 or [2001:db8::2]:8080, or port 0 in a service of a firewall \
                 mark, as in 10.0.0.2:0",
            ),
            (
                "10.0.0.3",
                "10.0.0.2",
                "error: line 7 column 9: destination 10.0.0.2:80: must not be given twice",
            ),
            (
                "10.0.0.3:80\n        forward: direct",
                "10.0.0.3:80",
                "error: line 2 column 5: service TCP 192.0.2.10:80: destination 10.0.0.3:80: \
                 forward must be given, here or for the service",
            ),
            (
                "\"[2001:db8::1]:53\"",
                "[2001:db8::1]:53",
                "error: line 10 column 5: invalid type: sequence, expected service address, in \
                 quotes, like \"192.0.2.10:80\" or \"[2001:db8::1]:80\"",
            ),
            (
                "5m",
                "5min",
                "error: line 12 column 16: timeout \"5min\": must be like 90s, 5m, 1h30m or 1d, \
                 or a whole number of seconds",
            ),
            (
                "prefix: 64",
                "prefix: 129",
                "error: line 10 column 5: service UDP [2001:db8::1]:53: persistence prefix 129: \
                 must be 1 to 128",
            ),
        ],
    );
}

#[test]
fn of_toml() {
    assert_eq!(toml::from_str::<Table>(TOML).unwrap(), serde_saphyr::from_str(YAML).unwrap());
    check(
        toml,
        TOML,
        &[
            (
                "weight = 3\n\n[[services]]",
                "wieght = 3\n\n[[services]]",
                "TOML parse error at line 12, column 1: unknown field `wieght`, expected one of \
                 `address`, `forward`, `weight`, `initial_weight`, `thresholds`, `unchecked`",
            ),
            (
                "weight = 3\n\n[[services]]",
                "weight = -1\n\n[[services]]",
                "TOML parse error at line 12, column 10: invalid value: integer `-1`, expected \
                 weight, 0 to 2147483647, a whole number",
            ),
            (
                "weight = 3\n\n[[services]]",
                "weight = 3\nweight = 3\n\n[[services]]",
                "TOML parse error at line 13, column 1: duplicate key",
            ),
            (
                "10.0.0.3",
                "10.0.0.2",
                "TOML parse error at line 9, column 1: destination 10.0.0.2:80: must not be given \
                 twice",
            ),
            (
                "5m",
                "5min",
                "TOML parse error at line 16, column 26: timeout \"5min\": must be like 90s, 5m, \
                 1h30m or 1d, or a whole number of seconds",
            ),
            (
                "prefix = 64",
                "prefix = 129",
                "TOML parse error at line 14, column 1: service UDP [2001:db8::1]:53: persistence \
                 prefix 129: must be 1 to 128",
            ),
        ],
    );
}

#[test]
fn of_json() {
    assert_eq!(serde_json::from_str::<Table>(JSON).unwrap().len(), 1);
    check(
        json,
        JSON,
        &[
            (
                "3}",
                "-3}",
                "invalid value: integer `-3`, expected weight, 0 to 2147483647, a whole number at \
                 line 3 column 64",
            ),
            (
                "10.0.0.3",
                "10.0.0.2",
                "destination 10.0.0.2:80: must not be given twice at line 4 column 51",
            ),
        ],
    );
}
