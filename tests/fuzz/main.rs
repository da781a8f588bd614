//! Fuzz targets for all parsers of text: tables and commands of `ipvsadm`, tables as YAML, TOML and
//! JSON, and values. The fuzz targets for netlink messages are in `src/engine/tests/hostile.rs`,
//! because they call private functions.
//!
//! `cargo test` runs each corpus and a few thousand changes of it, which takes seconds. To run each
//! target for ten minutes:
//!
//! ```sh
//! FUZZ_SECONDS=600 cargo test --release --test fuzz
//! FUZZ_SECONDS=600 cargo test --release --lib hostile
//! ```
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

mod harness;

use std::fmt::{Debug, Display};
use std::str::FromStr;

use ipvs_netlink::table::{Network, Table};
use ipvs_netlink::{
    AddressFamily, Change, Command, DestinationId, Forwarding, InterfaceName, NumericNames,
    PersistenceEngine, Protocol, Role, Scheduler, ServiceFlags, ServiceId, Tunnel,
};

use crate::harness::{corpus, lines, run};

/// Checks that a message is of bounded length and cannot move the cursor.
#[track_caller]
fn assert_presentable(error: &impl Display, input: &[u8]) {
    let message = error.to_string();
    assert!(!message.is_empty());
    assert!(message.len() < 2000, "{} bytes of {}", message.len(), input.escape_ascii());
    assert!(!message.contains(|c: char| c.is_control() && c != '\n'), "{message:?}");
}

/// Checks that a printed table is read as the same table, if text can express all of it.
#[track_caller]
fn assert_prints_itself(table: &Table) {
    if table.unsaid().next().is_none() {
        let text = table.to_string();
        assert_eq!(text.parse::<Table>().as_ref(), Ok(table), "{text}");
    }
}

#[test]
fn tables_of_ipvsadm() {
    run("text", &corpus("text"), 4000, |input| match Table::from_ipvsadm(input, &NumericNames) {
        Ok(table) => assert_prints_itself(&table),
        Err(error) => assert_presentable(&error, input),
    });
}

#[test]
fn commands_by_line() {
    run("commands", &corpus("text"), 4000, |input| {
        for command in Command::parse_lines(input, &NumericNames) {
            match command {
                Ok((_, command)) => assert_reads_back(&command.change),
                Err(error) => assert_presentable(&error, input),
            }
        }
    });
}

#[test]
fn commands_by_word() {
    run("words", &lines("words"), 20_000, |input| {
        let text = String::from_utf8_lossy(input);
        let words: Vec<&str> = text.split(' ').collect();
        match Command::parse(&words, &NumericNames) {
            Ok(command) => assert_reads_back(&command.change),
            Err(error) => assert_presentable(&error, input),
        }
    });
}

/// Checks that a change prints as a command that is read as the same change.
#[track_caller]
fn assert_reads_back(change: &Change) {
    let text = change.to_string();
    if !text.starts_with('#') {
        assert_eq!(text.parse::<Change>().as_ref(), Ok(change), "{text}");
    }
}

#[test]
fn tables_as_json() {
    run("json", &documents("json"), 4000, |input| match serde_json::from_slice::<Table>(input) {
        Ok(table) => {
            let text = serde_json::to_string(&table).unwrap();
            assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table, "{text}");
            assert_prints_itself(&table);
        }
        Err(error) => assert_presentable(&error, input),
    });
}

#[test]
fn tables_as_yaml() {
    run("yaml", &documents("yaml"), 2000, |input| {
        if let Ok(table) = serde_saphyr::from_slice::<Table>(input) {
            let text = serde_saphyr::to_string(&table).unwrap();
            assert_eq!(serde_saphyr::from_str::<Table>(&text).unwrap(), table, "{text}");
        }
    });
}

#[test]
fn tables_as_toml() {
    run("toml", &documents("toml"), 2000, |input| {
        if let Ok(table) = toml::from_slice::<Table>(input) {
            let text = toml::to_string(&table).unwrap();
            assert_eq!(toml::from_str::<Table>(&text).unwrap(), table, "{text}");
        }
    });
}

/// Returns the corpus of documents in a format. The files are JSON.
fn documents(format: &str) -> Vec<Vec<u8>> {
    let convert = |json: Vec<u8>| {
        let table: Table = serde_json::from_slice(&json).unwrap();
        match format {
            "json" => json,
            "toml" => toml::to_string(&table).unwrap().into_bytes(),
            _ => serde_saphyr::to_string(&table).unwrap().into_bytes(),
        }
    };
    let mut documents: Vec<_> = corpus("documents").into_iter().map(convert).collect();
    documents.extend(corpus(format));
    documents
}

#[test]
fn durations() {
    run("durations", &lines("durations"), 20_000, |input| {
        let text = String::from_utf8_lossy(input);
        let table = serde_json::json!({ "services": [{ "fwmark": 1, "persistence": text }] });
        match serde_json::from_value::<Table>(table) {
            Ok(table) => {
                let written = serde_json::to_value(&table).unwrap();
                assert_eq!(serde_json::from_value::<Table>(written).unwrap(), table);
            }
            Err(error) => assert_presentable(&error, input),
        }
    });
}

#[test]
fn values_as_text() {
    run("values", &lines("values"), 20_000, |input| {
        let text = String::from_utf8_lossy(input);
        assert_is_text::<ServiceId>(&text);
        assert_is_text::<DestinationId>(&text);
        assert_is_text::<Scheduler>(&text);
        assert_is_text::<PersistenceEngine>(&text);
        // The kernel also accepts other bytes in names of interfaces; they print escaped.
        if input.escape_ascii().to_string() == text {
            assert_is_text::<InterfaceName>(&text);
        }
        assert_is_text::<ServiceFlags>(&text);
        assert_is_text::<Forwarding>(&text);
        assert_is_text::<Tunnel>(&text);
        assert_is_text::<Protocol>(&text);
        assert_is_text::<AddressFamily>(&text);
        assert_is_text::<Role>(&text);
        assert_is_text::<Network>(&text);
    });
}

/// Checks that a value prints as text that is read as the same value.
#[track_caller]
fn assert_is_text<T: FromStr<Err: Display> + Display + PartialEq + Debug>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => {
            let printed = value.to_string();
            assert_eq!(printed.parse::<T>().ok().as_ref(), Some(&value), "{printed}");
        }
        Err(error) => assert_presentable(&error, text.as_bytes()),
    }
}
