//! Texts made to do harm. None may panic, or take long.

use proptest::prelude::*;

use crate::table::Table;

fn yaml(text: &str) -> String {
    serde_saphyr::from_str::<Table>(text).unwrap_err().to_string()
}

/// Reads the text in each format, where only panics matter.
fn read(text: &[u8]) {
    let _ = serde_json::from_slice::<Table>(text);
    let _ = serde_saphyr::from_slice::<Table>(text);
    let _ = toml::from_slice::<Table>(text);
}

#[test]
fn nests() {
    for open in ["[", "{\"services\":", "{services: ", "- ", "[[", "{a={", "services = ["] {
        read(open.repeat(20_000).as_bytes());
        for list in ["{\"services\": ", "services: ", "services = "] {
            read(format!("{list}{}", open.repeat(20_000)).as_bytes());
        }
    }
}

/// Nothing in the shape takes lists of lists, so that aliases of aliases are of the wrong
/// type. What is left to multiply is one long list, and the format limits that.
#[test]
fn aliases_that_multiply() {
    let lists = "services:\n- {fwmark: 1, flags: &a [ops]}\n- {fwmark: 2, flags: &b [*a, *a]}\n";
    assert!(yaml(lists).contains("invalid type: sequence, expected a flag"));
    let long = format!("services:\n- fwmark: 1\n  flags: &a [{}ops]\n", "ops, ".repeat(10_000));
    let services = (2..1_000).map(|mark| format!("- {{fwmark: {mark}, flags: *a}}\n"));
    assert!(yaml(&services.fold(long, |text, it| text + &it)).contains("budget breached"));
    let uses = ", *d".repeat(10_000);
    let destinations = format!("[&d {{address: 10.0.0.2:80, forward: direct}}{uses}]");
    let message = yaml(&format!("services: [{{fwmark: 5, destinations: {destinations}}}]"));
    assert!(message.contains("destination 10.0.0.2:80: must not be given twice"));
}

#[test]
fn bytes_that_are_not_text() {
    for text in
        [&b"services:\n- tcp: \"\xff\""[..], b"services:\n- tcp: \"\0\"", b"\xff\xfe", b"\0"]
    {
        assert!(serde_saphyr::from_slice::<Table>(text).is_err());
        assert!(serde_json::from_slice::<Table>(text).is_err());
        assert!(toml::from_slice::<Table>(text).is_err());
    }
}

#[test]
fn what_moves_a_cursor_or_turns_the_writing_round_does_not_reach_the_terminal() {
    let visible = |c: char| c == '\n' || c == ' ' || c.is_ascii_graphic();
    for character in ["1b", "9b", "200b", "200f", "2028", "202e", "2066", "feff"] {
        let odd = format!(r"\u{character:0>4}[31m");
        for [key, value] in
            [["tcp", &*odd], ["scheduler", &odd], ["persistence", &odd], [&odd, "x"]]
        {
            let json = format!(r#"{{"services": [{{"fwmark": 5, "{key}": "{value}"}}]}}"#);
            let toml = format!("[[services]]\nfwmark = 5\n\"{key}\" = \"{value}\"");
            let json = serde_json::from_str::<Table>(&json).unwrap_err().to_string();
            let toml = toml::from_str::<Table>(&toml).unwrap_err().to_string();
            for message in [json, toml] {
                let shown = format!(r"\u{{{character}}}[31m");
                assert!(message.contains(&shown) || message.contains(r"\x"), "{message:?}");
                assert!(message.chars().all(visible), "{message:?}");
            }
        }
    }
}

#[test]
fn long_text_is_not_quoted() {
    let long = "\u{1}".repeat(100_000);
    for [key, value] in
        [["tcp", &*long], ["scheduler", &long], ["fwmark", &long], ["forward", &long], [&long, "x"]]
    {
        let text = serde_json::json!({ "services": [{ key: value }] }).to_string();
        let message = serde_json::from_str::<Table>(&text).unwrap_err().to_string();
        assert!(message.contains("invalid length 100000, expected "), "{message}");
        assert!(message.len() < 300, "{}", message.len());
    }
    let message = serde_json::from_value::<Table>(long.into()).unwrap_err().to_string();
    assert_eq!(message, "invalid length 100000, expected a table, a mapping with the key services");
}

const VALID: &str = r#"{"timeouts": {"tcp": 900, "udp": "5m"}, "settings": {"conntrack": true,
"sync_threshold": [3, 50], "est_cpulist": "0-3", "tomorrow": 5}, "services": [{"tcp": "192.0.2.10:80", "scheduler": "mh", "flags": ["ops"],
"labels": {"team": "web"},
"persistence": {"timeout": "5m", "netmask": "255.0.0.0"}, "destinations": [{"address":
"10.0.0.2:80", "forward": {"tunnel": "gue", "port": 1}, "thresholds": {"upper": 5}}]}]}"#;

fn value() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "null",
        "[]",
        "{}",
        "[[]]",
        "1e999",
        "-0",
        "\"\"",
        "18446744073709551616",
        "-9223372036854775809",
        "true",
        "\"\\u0000\"",
        "{\"a\": 1}",
    ])
}

proptest! {
    #[test]
    fn valid_text_with_changes(changes in prop::collection::vec((0..VALID.len(), any::<u8>()), 1..4)) {
        let mut text = VALID.as_bytes().to_vec();
        for (at, byte) in changes {
            text[at] = byte;
        }
        read(&text);
    }

    #[test]
    fn any_value_in_any_place(place in any::<prop::sample::Index>(), value in value()) {
        let mut words: Vec<&str> = VALID.split_inclusive([' ', ',']).collect();
        let place = place.index(words.len());
        words[place] = value;
        read(words.concat().as_bytes());
    }
}
