//! Text that is made to cost or to break.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::configuration::{load, to_yaml};
use crate::convert::tests::{Folder, convert_text, try_text};

#[test]
fn expansion_is_bounded() {
    let bomb: String = (0..30)
        .map(|number| format!("$A{number}= \\\n${{A{0}}} \\\n${{A{0}}}\n\n", number + 1))
        .collect();
    let doubling: String =
        (0..30).map(|number| format!("$B{number}=${{B{0}}}${{B{0}}}\n", number + 1)).collect();
    for (text, reason) in [
        (format!("{bomb}\n$A30=x\n$A0\n"), "more than 500000 lines"),
        (format!("{doubling}\n$B30=xxxxxxxx\n${{B0}}\n"), "does one hold itself?"),
        (format!("$A={}\n${{A}}${{A}}\n", "x".repeat(5000)), "longer than 8192 bytes"),
        ("$A=${A}\n${A}\n".to_owned(), "does one hold itself?"),
        ("$A=${B} x\n$B=${A} y\n$A\n".to_owned(), "does one hold itself?"),
        ("x {\n".repeat(17), "more than 16 deep"),
        ("~SEQ(A,1,20000) $D${A}=x\n".to_owned(), ""),
        (
            "virtual_server_group g { 10.0.0.0-10.0.255.255 80 }\n".to_owned()
                + &"virtual_server group g { real_server 10.1.0.1 80 }\n".repeat(2),
            "more than 65536 services",
        ),
    ] {
        let begin = Instant::now();
        let found = try_text(&text).map_or_else(|error| error.to_string(), |_| String::new());
        assert!(found.contains(reason), "{found}");
        assert!(begin.elapsed() < Duration::from_secs(120), "{:?}: {reason}", begin.elapsed());
    }
}

#[test]
fn ranges_that_are_too_large_are_left_out() {
    let text = "virtual_server_group g {\n2001:db8::/64 80\n10.0.0.0/8 80\n192.0.2.1 80\n}\n\
                virtual_server group g { real_server 10.1.0.1 80\n lvs_method TUN }\n";
    let conversion = convert_text(text);
    assert_eq!(conversion.configuration.services.len(), 1);
    assert_eq!(conversion.remarks.list().count(), 2);
}

#[test]
fn messages_show_no_control_characters() {
    let text = "\u{1b}[31mred \u{202e}x\nvirtual_server \u{7}\u{1b}c 80 { }\n";
    for remark in convert_text(text).remarks.list() {
        let text = remark.to_string();
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
    }
}

/// The words of configurations, with which random files come further than with random bytes.
const WORDS: &[&str] = &[
    "virtual_server",
    "192.0.2.1",
    "2001:db8::1",
    "80",
    "0",
    "{",
    "}",
    "{",
    "}",
    "\n",
    "\n",
    "\n",
    "real_server",
    "10.0.0.2",
    "fwmark",
    "5",
    "group",
    "G",
    "virtual_server_group",
    "/24",
    "10.0.0.0/30",
    "10.0.0.2-9",
    "weight",
    "lb_kind",
    "DR",
    "TUN",
    "type",
    "gue",
    "port",
    "quorum",
    "hysteresis",
    "sorry_server",
    "HTTP_GET",
    "url",
    "path",
    "/",
    "regex",
    "\"(a\"",
    "TCP_CHECK",
    "connect_port",
    "MISC_CHECK",
    "misc_path",
    "\"/bin/true 'a b'\"",
    "misc_dynamic",
    "UDP_CHECK",
    "require_reply",
    "0X1x",
    "SMTP_CHECK",
    "host",
    "DNS_CHECK",
    "name",
    "..",
    "protocol",
    "TCP",
    "persistence_timeout",
    "persistence_granularity",
    "4294967295",
    "99999999999999999999",
    "-1",
    "delay_loop",
    "0.5",
    ".",
    "1e9",
    "$A=",
    "$A",
    "${A}",
    "\\\n",
    "~SEQ(A,1,3)",
    "@x",
    "include",
    "keepalived.conf",
    "*",
    "#",
    "!",
    "'",
    "\\x",
    "global_defs",
    "lvs_timeouts",
    "lvs_sync_daemon",
    "tcp",
    "eth0",
    "vrrp_instance",
    "virtual_ipaddress",
    "\u{fc}\u{1f600}",
    "lvs_sched",
    "sh",
    "sh-port",
    "inhibit_on_failure",
    "retry",
    "misc_timeout",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_converted_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = try_text(&bytes);
    }

    #[test]
    fn any_words_are_converted_or_refused(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..60),
        separator in prop::sample::select(&[" ", "", "\n"][..]),
    ) {
        if let Ok(conversion) = try_text(words.join(separator)) {
            let folder = Folder::new();
            let path = folder.with("director.yaml", to_yaml(&conversion.configuration).unwrap());
            let loaded = load(&path, None);
            prop_assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
        }
    }
}
