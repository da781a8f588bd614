//! What `PROTOCOL.md` says is what the program does.

use std::collections::BTreeSet;
use std::fs;
use std::net::Shutdown;
use std::path::Path;

use director::control::limits::Limits;
use director::control::request::{LONGEST_NAME, ORDERS};
use director::control::response::Received;
use director::status::Status;

use crate::desk::{Desk, status};

const DOCUMENT: &str = include_str!("../../PROTOCOL.md");

/// Returns the texts between the marks.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> Vec<&'a str> {
    let pieces = text.split(begin).skip(1);
    pieces.map(|piece| &piece[..piece.find(end).expect(end)]).collect()
}

#[test]
fn the_example_for_the_shell_gets_an_answer() {
    let desk = Desk::start("shell", Limits::DAEMON, status(1));
    let example = between(DOCUMENT, "    echo '", "' | socat");
    let mut client = desk.client();
    client.write(example[0]).write("\n");
    // As socat does at the end of its input.
    client.stream.get_mut().shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.kind().as_deref(), Some("status"));
    assert_eq!(client.read(), None);
}

#[test]
fn each_documented_order_is_carried_out() {
    let desk = Desk::start("documented", Limits::DAEMON, status(1));
    let lines: Vec<_> =
        DOCUMENT.lines().filter(|line| line.starts_with(r#"{"version":1,"order""#)).collect();
    assert!(lines.len() >= 10);
    for line in &lines {
        let kind = desk.client().write(line).write("\n").kind().unwrap();
        assert!(["status", "done"].contains(&kind.as_str()), "{line}: {kind}");
    }
    for order in ORDERS {
        assert!(lines.iter().any(|line| line.contains(&format!("\"{order}\""))), "{order}");
        assert!(DOCUMENT.contains(&format!("| `{order}` |")), "{order}");
    }
}

#[test]
fn each_documented_answer_is_understood() {
    for line in DOCUMENT.lines().filter(|line| line.starts_with(r#"{"version":1,"answer""#)) {
        if line.ends_with("\"status\":{") {
            continue;
        }
        let answer: Received = serde_json::from_str(line).unwrap();
        assert_ne!(answer, Received::Other, "{line}");
    }
    let state = between(DOCUMENT, r#"{"version":1,"answer":"status","status":"#, "\n```")[0];
    let state = state.strip_suffix('}').unwrap();
    let status: Status = serde_json::from_str(state).unwrap();
    // No key is left out, and none is made up.
    let read: serde_json::Value = serde_json::from_str(state).unwrap();
    assert_eq!(serde_json::to_value(&status).unwrap(), read);
}

#[test]
fn the_documented_limits_are_those_of_the_daemon() {
    let limits = Limits::DAEMON;
    for (text, value) in [
        ("bytes of a request", format!("{}", limits.request)),
        ("time for a request", format!("{} s", limits.request_time.as_secs())),
        ("time in which the daemon answers", format!("{} s", limits.answer_time.as_secs())),
        ("bytes of an answer", format!("{} MiB", limits.answer >> 20)),
        ("time in which the client reads", format!("{} s", limits.stall.as_secs())),
        ("connections of root", limits.own.to_string()),
        ("connections of all other users", format!("{}, and {}", limits.others, limits.each)),
        ("connections of a user that follow", limits.followers.to_string()),
        ("answers to `status`", limits.states.to_string()),
        ("orders of a user", format!("one each {} ms", limits.pause.as_millis())),
    ] {
        let line =
            DOCUMENT.lines().find(|line| line.starts_with(&format!("| {text}"))).expect(text);
        let documented = line.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(documented.starts_with(&value), "{line}: {value}");
    }
    assert!(DOCUMENT.contains(&format!("at most {LONGEST_NAME}\nbytes")));
}

#[test]
fn each_kind_of_event_is_documented() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let library = source.join("../../../src/table/controller/event.rs");
    let mut kinds: BTreeSet<String> = BTreeSet::new();
    // The names of the controller's events.
    let text = fs::read_to_string(library).unwrap();
    kinds.extend(between(&text, "=> \"", "\"").into_iter().map(str::to_owned));
    let mut folders = vec![source];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            // Wherever an event is made, its severity is followed by its kind.
            let text = fs::read_to_string(&path).unwrap();
            for severity in ["Detail", "Note", "Warning", "Error"] {
                let after = between(&text, &format!("Severity::{severity}, \""), "\"");
                kinds.extend(after.into_iter().map(str::to_owned));
            }
        }
    }
    assert!(kinds.len() > 30, "{kinds:?}");
    // The desk tells these as a trouble, and a client never sees them.
    for kind in ["backing-off", "recovered", "refused"] {
        assert!(kinds.remove(kind), "{kind}");
        let told = DOCUMENT.lines().find(|line| {
            let names = line.split('|').nth(1);
            // An answer has the name of one of them.
            names.is_some_and(|names| names.contains(&format!("`{kind}`")))
                && !line.starts_with("| `refused` | `lines` |")
        });
        assert_eq!(told, None);
    }
    for kind in kinds.iter().map(String::as_str).chain(["up", "down", "announced", "withdrawn"]) {
        // A test of the log has a kind of its own.
        assert!(kind == "test" || DOCUMENT.contains(&format!("`{kind}`")), "{kind}");
    }
}
