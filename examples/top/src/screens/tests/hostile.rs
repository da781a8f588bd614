//! Nothing from outside reaches the terminal but text.

use std::sync::Arc;

use ipvs_netlink::metrics::ServiceLabels;
use ipvs_netlink::procfs::ConnectionReader;
use ipvs_netlink::table::Labels;
use proptest::prelude::*;

use crate::keys::Key;
use crate::manners::is_harmless;
use crate::reading::pass;
use crate::stage::{Stage, WEB, id};
use crate::state::News;
use crate::state::connections::Place;
use crate::state::director::{Absence, Answer};

/// Text that a terminal would obey, or that hides other text, among other text.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        prop::sample::select(vec![
            "\u{1b}[2J",
            "\u{1b}]0;title\u{7}",
            "\u{9b}31m",
            "\r\n",
            "\u{202e}",
            "\u{200b}",
            "\0",
            "\u{7f}",
            "\u{e0041}",
            "港",
            "ordinary",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn assert_harmless(stage: &mut Stage) -> Result<(), TestCaseError> {
    for (width, height) in [(80, 24), (200, 60), (40, 15)] {
        let buffer = stage.buffer(width, height);
        for cell in &buffer.content {
            let symbol = cell.symbol();
            prop_assert!(symbol.chars().all(is_harmless), "{symbol:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn texts_of_the_director(
        reason in text(), by in text(), trouble in text(), pool in text(), failure in text(),
        namespace in text(), label in text(), state in "[a-z]{1,8}",
    ) {
        let mut stage = Stage::new();
        let mut labels = Labels::new();
        // What the library refuses cannot come.
        let _ = labels.insert("team", &label);
        let mut all = ServiceLabels::new();
        all.insert(id(WEB), labels);
        stage.state.settings.labels = Arc::new(all);
        stage.state.settings.namespace = Some(namespace);
        let status = serde_json::json!({"version": 1, "answer": "status", "status": {
            "troubles": [trouble],
            "services": [{"service": WEB, "available": false, "reason": pool, "destinations": [
                {"destination": "10.0.0.2:8080", "state": state, "weight": 1},
                {"destination": "10.0.0.3:8080", "state": "up", "weight": 1},
                {"destination": "10.0.0.8:8080", "state": "out", "weight": 1,
                 "maintenance": {"kind": "out", "by": by, "until": null}},
                {"destination": "10.0.0.9:8080", "state": "down", "reason": reason, "weight": 1},
            ]}],
        }});
        let line = status.to_string();
        let read = |line: &str| match Answer::of_line(line.as_bytes()) {
            Ok(Answer::Status(status)) => status,
            other => panic!("{other:?}"),
        };
        stage.state.learn(News::Director(stage.now(), Ok(read(&line))));
        let down = line.replace("\"up\"", "\"down\"");
        stage.state.learn(News::Director(stage.now(), Ok(read(&down))));
        assert_harmless(&mut stage)?;
        stage.keys("e");
        assert_harmless(&mut stage)?;
        stage.key(Key::Escape);
        stage.state.service.select(&[id(WEB)], 0);
        for keys in ["l", "G", "k", "k", "d"] {
            stage.keys(keys);
            assert_harmless(&mut stage)?;
        }
        stage.key(Key::Escape);
        stage.state.learn(News::Director(stage.now(), Err(Absence::Failed(failure.clone()))));
        stage.state.learn(News::Read(Err(failure.clone())));
        assert_harmless(&mut stage)?;
        stage.state.complain(failure);
        assert_harmless(&mut stage)?;
    }

    #[test]
    fn data_of_persistence_engines(
        data in prop_oneof![
            text().prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..100),
        ],
    ) {
        let mut stage = Stage::new();
        stage.state.service.select(&[id(WEB)], 0);
        stage.keys("c");
        let mut list = b"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n\
            TCP CB007107 0000 C000020A 0050 0A000002 1F90 NONE            299 sip ".to_vec();
        // A line that ends early would be another line.
        list.extend(data.into_iter().filter(|byte| *byte != b'\n'));
        list.push(b'\n');
        let place = Place { service: id(WEB), destination: None };
        let now = stage.now();
        let state = &mut stage.state;
        let table = Arc::clone(&state.reading().unwrap().snapshot);
        pass(ConnectionReader::new(&list[..]), place, &table, now, &mut |part| {
            state.learn(News::Connections(part));
            true
        });
        assert_harmless(&mut stage)?;
    }

    #[test]
    fn whatever_is_typed(typed in text()) {
        let mut stage = Stage::new();
        stage.keys("/");
        stage.keys(&typed);
        assert_harmless(&mut stage)?;
        stage.key(Key::Enter);
        assert_harmless(&mut stage)?;
    }
}
