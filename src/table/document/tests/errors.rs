//! What is wrong with a text, word for word.

use crate::table::Table;

/// The message without the line and column that the format adds.
fn message(text: &str) -> String {
    let message = serde_json::from_str::<Table>(text).unwrap_err().to_string();
    message.rsplit_once(" at line ").unwrap().0.to_owned()
}

fn service(keys: &str) -> String {
    message(&format!(r#"{{"services": [{{{keys}}}]}}"#))
}

fn destination(keys: &str) -> String {
    let named = format!(r#""address": "10.0.0.2:80", "forward": "direct", {keys}"#);
    service(&format!(r#""tcp": "192.0.2.10:80", "destinations": [{{{named}}}]"#))
}

fn forward(value: &str) -> String {
    let server = format!(r#"{{"address": "10.0.0.2:80", "forward": {value}}}"#);
    service(&format!(r#""tcp": "192.0.2.10:80", "destinations": [{server}]"#))
}

fn web(keys: &str) -> String {
    service(&format!(r#""tcp": "192.0.2.10:80", {keys}"#))
}

fn check(read: fn(&str) -> String, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(read(text), *expected, "{text}");
    }
}

#[test]
fn of_timeouts_and_settings() {
    let name = "must be 1 to 63 characters of a-z 0-9 _, of which the first is a letter";
    let value =
        "value of a setting, a whole number, true or false, a list of two numbers, or a text";
    let shape = "settings, a mapping of names like conntrack to values";
    let settings = |value: &str| message(&format!(r#"{{"settings": {value}, "services": []}}"#));
    for (text, expected) in [
        (r#"{"sync_ports": 3}"#, "setting sync_ports 3: must be a power of two, 1 to 64".into()),
        (
            r#"{"sync_ports": true}"#,
            "setting sync_ports \"true\": must be a power of two, 1 to 64".into(),
        ),
        (r#"{"conntrack": 2}"#, "setting conntrack 2: must be 0 or 1".into()),
        (r#"{"conntrack": "on"}"#, "setting conntrack \"on\": must be 0 or 1".into()),
        (
            r#"{"conntrack": 1, "conntrack": 1}"#,
            "setting conntrack: must not be given twice".into(),
        ),
        (r#"{"../ip_forward": 1}"#, format!("setting \"../ip_forward\": {name}")),
        (r#"{"net.ipv4.vs.conntrack": 1}"#, format!("setting \"net.ipv4.vs.conntrack\": {name}")),
        (
            r#"{"tomorrow": "a\u001b"}"#,
            "setting tomorrow \"a\\u{1b}\": must be at most 255 bytes of printable ASCII".into(),
        ),
        (r#"{"conntrack": null}"#, format!("invalid type: null, expected {value}")),
        (r#"{"conntrack": 1.5}"#, format!("invalid type: floating point `1.5`, expected {value}")),
        (
            r#"{"conntrack": 9223372036854775808}"#,
            format!("invalid value: integer `9223372036854775808`, expected {value}"),
        ),
        (
            r#"{"sync_threshold": [3, 50, 1]}"#,
            "value of a setting: a list must be of two numbers".into(),
        ),
        (
            r#"{"sync_threshold": ["3", 50]}"#,
            "invalid type: string \"3\", expected number of a setting, a whole number".into(),
        ),
        (
            r#"{"sync_threshold": [[3], 50]}"#,
            "invalid type: sequence, expected number of a setting, a whole number".into(),
        ),
        ("[]", format!("invalid type: sequence, expected {shape}")),
        ("5", format!("invalid type: integer `5`, expected {shape}")),
    ] {
        let expected: String = expected;
        assert_eq!(settings(text), expected);
    }
    let timeouts = |value: &str| message(&format!(r#"{{"services": [], "timeouts": {value}}}"#));
    assert_eq!(timeouts(r#"{"tcp": 0}"#), "tcp timeout 0 s: must be at least 1 s");
    assert_eq!(
        timeouts(r#"{"udp": 21474837}"#),
        "udp timeout 21474837 s: must be at most 21474836 s"
    );
    assert_eq!(timeouts(r#"{"tcp": 1}, "timeouts": {"tcp": 1}"#), "duplicate field `timeouts`");
    assert_eq!(settings(r#"{}, "settings": {}"#), "duplicate field `settings`");
}

#[test]
fn of_labels() {
    let rule = "must have a name of A-Z a-z 0-9 _ that does not begin with a digit";
    let text = "text of a label, in quotes if it looks like a number";
    let labels = |value: &str| web(&format!(r#""labels": {value}"#));
    for (value, expected) in [
        (r#"{"a-b": "x"}"#, format!("label \"a-b\": {rule}")),
        (r#"{"": "x"}"#, format!("label \"\": {rule}")),
        (
            r#"{"__name__": "x"}"#,
            "label \"__name__\": must not begin with __, which Prometheus keeps for itself".into(),
        ),
        (
            r#"{"port": "80"}"#,
            "label \"port\": must have another name, because metrics use this one".into(),
        ),
        (r#"{"a": "x", "a": "y"}"#, "label \"a\": must not be given twice".into()),
        (r#"{"a": 5}"#, format!("invalid type: integer `5`, expected {text}")),
        (r#"{"a": null}"#, format!("invalid type: null, expected {text}")),
        (r#"{"a": {"a": "b"}}"#, format!("invalid type: map, expected {text}")),
        (r#"{"a": "x\n"}"#, "label text \"x\\n\": must not have control characters".into()),
        ("[]", "invalid type: sequence, expected labels, a mapping of names to texts".into()),
    ] {
        assert_eq!(labels(value), expected);
    }
    let many: Vec<String> = (0..17).map(|index| format!(r#""l{index}": "x""#)).collect();
    let many = labels(&format!("{{{}}}", many.join(", ")));
    assert!(many.ends_with(": must not be more than 16 of a service"), "{many}");
    let long = labels(&format!(r#"{{"a": "{}"}}"#, "x".repeat(256)));
    assert_eq!(long, format!("invalid length 256, expected {text}"));
}

#[test]
fn of_a_table() {
    let shape = "a table, a mapping with the key services";
    let list = "services, a list of mappings with one of the keys tcp, udp, sctp, fwmark and \
                service";
    check(
        message,
        &[
            ("3", &format!("invalid type: integer `3`, expected {shape}")),
            ("[[]]", &format!("invalid type: sequence, expected {shape}")),
            ("{}", "missing field `services`"),
            (r#"{"services": null}"#, &format!("invalid type: null, expected {list}")),
            (r#"{"services": {}}"#, &format!("invalid type: map, expected {list}")),
            (r#"{"services": [], "services": []}"#, "duplicate field `services`"),
            (
                r#"{"services": [], "service": 1}"#,
                "unknown field `service`, expected one of `timeouts`, `settings`, `defaults`, \
                 `services`",
            ),
            (
                r#"{"services": [["192.0.2.10:80"]]}"#,
                "invalid type: sequence, expected a service, a mapping with one of the keys tcp, \
                 udp, sctp, fwmark and service",
            ),
            (
                r#"{"services": [{"fwmark": 5}, {"udp": "1.2.3.4:5"}, {"service": "FWM 5"}]}"#,
                "service FWM 5: must not be given twice",
            ),
        ],
    );
}

#[test]
fn of_what_names_a_service() {
    let one = "must have one of tcp, udp, sctp, fwmark and service";
    check(
        service,
        &[
            ("", &format!("a service without a name: {one}")),
            (
                r#""tcp": "1.2.3.4:5", "udp": "1.2.3.4:5""#,
                &format!("service TCP 1.2.3.4:5 has tcp and udp: {one}"),
            ),
            (
                r#""tcp": "1.2.3.4""#,
                r#"service address "1.2.3.4": needs a port, as in 192.0.2.10:80 or [2001:db8::1]:80"#,
            ),
            (
                r#""tcp": 80"#,
                r#"invalid type: integer `80`, expected service address, in quotes, like "192.0.2.10:80" or "[2001:db8::1]:80""#,
            ),
            (
                r#""udp": "[fe80::1%3]:53""#,
                "service address [fe80::1%3]:53: must not have a scope or flow label",
            ),
            (r#""fwmark": 0"#, "fwmark 0: must not be 0"),
            (
                r#""fwmark": 4294967296"#,
                "invalid value: integer `4294967296`, expected fwmark, 1 to 4294967295, a whole \
                 number",
            ),
            (r#""fwmark": 5, "family": "inet""#, r#"family "inet": must be ipv4 or ipv6"#),
            (
                r#""tcp": "1.2.3.4:5", "family": "ipv4""#,
                "service TCP 1.2.3.4:5 has family: only fwmark goes with it",
            ),
            (
                r#""service": "ICMP 1.2.3.4:5""#,
                r#"protocol "ICMP": must be TCP, UDP, SCTP or IP_<number>"#,
            ),
        ],
    );
}

#[test]
fn of_the_settings_of_a_service() {
    let name = "must be 1 to 15 characters of A-Z a-z 0-9 _ -";
    check(
        web,
        &[
            (
                r#""weight": 1"#,
                "unknown field `weight`, expected one of `tcp`, `udp`, `sctp`, `fwmark`, \
                 `family`, `service`, `scheduler`, `flags`, `persistence`, `unchecked`, \
                 `forward`, `labels`, `destinations`",
            ),
            (r#""scheduler": "rr", "scheduler": "rr""#, "duplicate field `scheduler`"),
            (
                r#""scheduler": "w rr""#,
                &format!(r#"service TCP 192.0.2.10:80: scheduler "w rr": {name}"#),
            ),
            (
                r#""scheduler": "sixteen_letters_""#,
                &format!(r#"scheduler "sixteen_letters_": {name}"#),
            ),
            (
                r#""flags": "ops""#,
                r#"invalid type: string "ops", expected flags, a list like [ops, sh-port]"#,
            ),
            (
                r#""flags": ["sh"]"#,
                r#"flags "sh": must be a comma-separated list of ops, sh-fallback, sh-port, mh-fallback, mh-port, flag-1, flag-2, flag-3 or 0x<bits>"#,
            ),
            (
                r#""scheduler": "sh", "flags": ["sh-port", "mh-fallback"]"#,
                r#"service TCP 192.0.2.10:80: flag "mh-fallback": is a flag of another scheduler than the service's"#,
            ),
            (
                r#""flags": ["ops,sh-port"]"#,
                r#"flag "ops,sh-port": must be one flag, such as ops, sh-fallback, sh-port, mh-fallback or mh-port"#,
            ),
            (
                r#""flags": [1]"#,
                "service TCP 192.0.2.10:80: flags 0x1: must not have bits 0x1 (set `persistence` \
                 instead) or 0x2 (internal to the kernel)",
            ),
            (
                r#""unchecked": "yes""#,
                r#"invalid type: string "yes", expected unchecked, true or false"#,
            ),
            (
                r#""destinations": null"#,
                "invalid type: null, expected destinations, a list of mappings with the key \
                 address",
            ),
            (
                r#""forward": "direct", "destinations": [{"address": "10.0.0.2:80"}, {"address": "10.0.0.2:80", "weight": 3}]"#,
                "destination 10.0.0.2:80: must not be given twice",
            ),
            (
                r#""destinations": [{"address": "10.0.0.2:80"}]"#,
                "service TCP 192.0.2.10:80: destination 10.0.0.2:80: forward must be given, here \
                 or for the service",
            ),
            (
                r#""destinations": [{"address": "[2001:db8::2]:80", "forward": "direct"}]"#,
                "service TCP 192.0.2.10:80: destination [2001:db8::2]:80: forwarding Route: an \
                 address of the other family than the service's needs a tunnel",
            ),
        ],
    );
}

#[test]
fn of_persistence() {
    let duration = "must be like 90s, 5m, 1h30m or 1d, or a whole number of seconds";
    check(
        web,
        &[
            (r#""persistence": "5 min""#, &format!(r#"timeout "5 min": {duration}"#)),
            (r#""persistence": {"timeout": "300"}"#, &format!(r#"timeout "300": {duration}"#)),
            (r#""persistence": {"engine": "sip"}"#, "missing field `timeout`"),
            (
                r#""persistence": {"timeout": 1.5}"#,
                r#"invalid type: floating point `1.5`, expected timeout, a duration like "5m" or a whole number of seconds"#,
            ),
            (
                r#""persistence": -1"#,
                r#"invalid value: integer `-1`, expected persistence, false, a duration like "5m" or a mapping with the keys timeout, netmask or prefix, and engine"#,
            ),
            (
                r#""persistence": "50d""#,
                "service TCP 192.0.2.10:80: persistence timeout 4320000 s: must be at most \
                 4294967 s",
            ),
            (
                r#""persistence": {"timeout": 60, "netmask": "/24"}"#,
                r#"persistence netmask "/24": must be like 255.255.255.0"#,
            ),
            (
                r#""persistence": {"timeout": 60, "netmask": "255.0.0.0", "prefix": 64}"#,
                "persistence has netmask 255.0.0.0 and prefix 64: must have one of them",
            ),
            (
                r#""persistence": {"timeout": 60, "prefix": 64}"#,
                "service TCP 192.0.2.10:80: persistence prefix 64: must be a mask for an IPv4 \
                 service",
            ),
        ],
    );
    let with = |keys| service(&format!(r#""tcp": "[::1]:80", "persistence": {{{keys}}}"#));
    assert_eq!(
        with(r#""timeout": 60, "netmask": "255.255.255.0""#),
        "service TCP [::1]:80: persistence netmask 255.255.255.0: must be a prefix length for an \
         IPv6 service"
    );
    assert_eq!(
        with(r#""timeout": 60, "prefix": 129"#),
        "service TCP [::1]:80: persistence prefix 129: must be 1 to 128"
    );
}

#[test]
fn of_a_destination() {
    check(
        destination,
        &[
            (
                r#""wieght": 1"#,
                "unknown field `wieght`, expected one of `address`, `forward`, `weight`, \
                 `initial_weight`, `thresholds`, `unchecked`",
            ),
            (
                r#""weight": -1"#,
                "invalid value: integer `-1`, expected weight, 0 to 2147483647, a whole number",
            ),
            (
                r#""weight": 10.0"#,
                "invalid type: a number with a point, an exponent or leading zeros, expected \
                 weight, 0 to 2147483647, a whole number",
            ),
            (
                r#""weight": "3""#,
                r#"invalid type: string "3", expected weight, 0 to 2147483647, a whole number"#,
            ),
            (
                r#""weight": null"#,
                "invalid type: null, expected weight, 0 to 2147483647, a whole number",
            ),
            (
                r#""weight": 3000000000"#,
                "destination 10.0.0.2:80: weight 3000000000: must be at most 2147483647",
            ),
            (r#""thresholds": {"lower": 1}"#, "missing field `upper`"),
            (
                r#""thresholds": {"upper": 5, "lower": 6}"#,
                "destination 10.0.0.2:80: lower threshold 6: must not be above the upper threshold",
            ),
            (
                r#""thresholds": 1000"#,
                "invalid type: integer `1000`, expected thresholds, a mapping with the keys upper \
                 and lower",
            ),
        ],
    );
    check(
        web,
        &[
            (r#""destinations": [{"forward": "direct"}]"#, "missing field `address`"),
            (
                r#""destinations": [{"address": "server-1:80"}]"#,
                "destination \"server-1:80\": the host must be a numeric address; names are \
                 not looked up here",
            ),
            (
                r#""destinations": [{"address": "0.0.0.0:80"}]"#,
                "destination 0.0.0.0:80: destination address 0.0.0.0:80: must be a unicast address",
            ),
        ],
    );
}

#[test]
fn of_forwarding() {
    let by_name = "must be ipip, gue or gre by name, or have flags without a name";
    check(
        forward,
        &[
            (
                r#""Masq""#,
                r#"forward "Masq": must be masquerade, direct, tunnel, local, bypass or a mapping with the key tunnel"#,
            ),
            (
                "4",
                r#"invalid value: integer `4`, expected forward, a name like "masquerade", a mapping with the key tunnel, or the number of a method that has no name"#,
            ),
            ("{}", "missing field `tunnel`"),
            (r#"{"tunnel": "vxlan"}"#, r#"tunnel "vxlan": must be ipip, gue or gre"#),
            (r#"{"tunnel": "ipip", "port": 1}"#, "tunnel ipip: must not have port"),
            (r#"{"tunnel": "gue"}"#, "tunnel gue: must have port"),
            (
                r#"{"tunnel": "gue", "port": 0}"#,
                "destination 10.0.0.2:80: tunnel port 0: GUE needs a port",
            ),
            (
                r#"{"tunnel": "gue", "port": 65536}"#,
                "invalid value: integer `65536`, expected tunnel port, 1 to 65535, a whole number",
            ),
            (
                r#"{"tunnel": "gue", "port": 1, "checksum": true}"#,
                r#"invalid type: boolean `true`, expected checksum, one of "none", "full" and "remote-offload""#,
            ),
            (
                r#"{"tunnel": "gre", "checksum": "remote-offload"}"#,
                "tunnel gre: must not have checksum remote-offload",
            ),
            (r#"{"tunnel": 2, "flags": 1}"#, &format!("tunnel 2, flags 0x1: {by_name}")),
            (r#"{"tunnel": 1, "port": 1}"#, &format!("tunnel 1, flags 0x0: {by_name}")),
        ],
    );
}
