//! Screens at several sizes, over the kernel in memory. Each is compared with a file beside this one. After
//! a change that is wanted, `SCREENS=write cargo test -p top screens` writes the files anew.

mod belonging;
mod hostile;
mod readme;

use std::fs;
use std::path::Path;

use ipvs_netlink::Change;
use ratatui::style::Color;

use crate::Moment;
use crate::keys::Key;
use crate::manners::{Colors, Glyphs, Theme};
use crate::reading::pass;
use crate::stage::{Stage, WEB, id};
use crate::state::News;
use crate::state::connections::Place;

const SIZES: [(u16, u16); 3] = [(80, 24), (200, 60), (40, 15)];

/// Compares the screen at all sizes.
fn compare(stage: &mut Stage, name: &str) {
    for (width, height) in SIZES {
        let drawn = stage.draw(width, height);
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("src/screens/tests/{name}-{width}x{height}.txt"));
        if std::env::var_os("SCREENS").is_some_and(|it| it == "write") {
            fs::write(&file, &drawn).unwrap();
        }
        let expected = fs::read_to_string(&file).unwrap();
        assert!(expected == drawn, "{} expected:\n{expected}\ndrawn:\n{drawn}", file.display());
    }
}

const DOWN: &str = r#"
    {"destination":"10.0.0.2:8080","state":"up","since":"2026-11-28T11:00:00Z","reason":"",
     "maintenance":null,"weight":1},
    {"destination":"10.0.0.4:8080","state":"drained","since":null,"reason":"",
     "maintenance":{"kind":"drain","by":"alice","until":"2026-11-28T12:00:52.000Z"},"weight":1},
    {"destination":"10.0.0.9:8080","state":"down","since":"2026-11-28T11:58:04Z",
     "reason":"connect refused","maintenance":null,"weight":1}"#;

#[test]
fn overview() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.weight(WEB, "10.0.0.3:8080", 2);
    stage.write(Change::AddService(ipvs_netlink::Service::tcp("192.0.2.12:443".parse().unwrap())));
    stage.read();
    compare(&mut stage, "overview");
}

#[test]
fn sums_are_of_what_the_filter_shows() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.keys("/tcp");
    stage.key(Key::Enter);
    compare(&mut stage, "filtered");
    let text = crate::once::to_text(&stage.state, Glyphs::Unicode);
    assert!(text.starts_with("2 of 3 services, 1 down, 4 destinations: 1 up"), "{text}");
    stage.key(Key::Escape);
    assert!(stage.draw(80, 24).contains("\n3 services  1 down  destinations  3 up"));
}

#[test]
fn a_service_whose_dead_destinations_are_kept_is_not_down() {
    let mut stage = Stage::new();
    let down = ["2", "3"].map(|number| {
        format!(
            r#"{{"destination":"10.0.0.{number}:8080","state":"down","since":null,"reason":"timeout",
            "maintenance":null,"weight":1}}"#
        )
    });
    let down = down.join(",");
    // Room for clients.
    stage.connections(WEB, "10.0.0.3:8080", 0, 0);
    stage.read();
    stage.director(WEB, &down.replace("down", "kept"));
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("\n3 services  1 down  destinations  2 up"), "{drawn}");
    assert!(drawn.contains("2 dead\n"), "{drawn}");
    assert!(crate::once::to_text(&stage.state, Glyphs::Unicode).contains(" 1 down,"));
    stage.keys("/down");
    assert_eq!(stage.state.shown(), 1);
    stage.key(Key::Escape);

    // The kernel gives them no clients: one is full, and the other has left the table.
    stage.connections(WEB, "10.0.0.3:8080", 100, 0);
    stage.write(Change::DeleteDestination(id(WEB), "10.0.0.2:8080".parse().unwrap()));
    stage.read();
    assert!(stage.draw(80, 24).contains("\n3 services  2 down"));
}

#[test]
fn the_number_of_dead_is_seen_at_every_width() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    for width in 20..=100 {
        let drawn = stage.draw(width, 15);
        let lines: Vec<_> = drawn.lines().take(4).collect();
        assert!(lines.join(" ").contains("1 dead") && drawn.contains("1 down"), "{drawn}");
        // Nothing but the title, lists and sentences is cut.
        assert!(!lines[1..].concat().contains('…') && !drawn.ends_with("…\n"), "{drawn}");
    }
}

#[test]
fn processors_have_a_line_where_there_are_several() {
    let mut stage = Stage::new();
    let read = |stage: &mut Stage, packets: &[u64]| {
        stage.kernel.advance(std::time::Duration::from_secs(1));
        let now = stage.now();
        let mut reading =
            crate::reading::read(&stage.source, now, crate::state::Writers::default()).unwrap();
        let mut counters = ipvs_netlink::procfs::PerProcessor::default();
        for (number, packets) in (0..).zip(packets) {
            let mut processor = ipvs_netlink::procfs::ProcessorCounters::default();
            processor.processor = number;
            processor.stats.incoming_packets = *packets;
            processor.stats.outgoing_packets = 77_777;
            counters.processors.push(processor);
        }
        reading.processors = Some(counters);
        stage.state.now = stage.now();
        stage.state.learn(News::Read(Ok(reading)));
    };
    read(&mut stage, &[1000, 50, 0]);
    read(&mut stage, &[1200, 150, 0]);
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("packets in/s by processor  0 ████ 200  1 ██   100\n"), "{drawn}");
    assert!(stage.draw(40, 15).contains("processor  0 ████ 200\n"));
    stage.keys("/udp");
    assert!(stage.draw(80, 24).contains("packets in/s of all services by processor  0 "));
    // With one there is nothing to compare.
    read(&mut stage, &[1200]);
    assert!(!stage.draw(80, 24).contains("by processor"));
}

#[test]
fn counters_have_units_where_they_are_too_long() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    let counted = |drawn: String| {
        drawn.lines().find(|line| line.starts_with("counted")).unwrap_or_default().to_owned()
    };
    assert_eq!(
        counted(stage.draw(80, 24)),
        "counted: 480 connections  in 3840 packets 432kB  out 2880 packets 19MB"
    );
    assert_eq!(
        counted(stage.draw(100, 24)),
        "counted: 480 connections  in 3840 packets 432000 bytes  out 2880 packets 19200000 bytes"
    );
    assert_eq!(counted(stage.draw(50, 24)), "counted: 480 connections  in 3840 packets 432kB");
}

#[test]
fn the_time_of_persistence_has_its_unit() {
    let mut stage = Stage::new();
    stage.state.service.select(&["TCP 192.0.2.11:25".parse().unwrap()], 0);
    stage.key(Key::Enter);
    assert!(stage.draw(80, 24).contains("scheduler wlc persistent for 300 s\n"));
}

#[test]
fn an_empty_table() {
    let mut stage = Stage::empty();
    assert!(stage.draw(80, 24).contains("the table is being read"));
    stage.pass(1);
    compare(&mut stage, "empty");
}

#[test]
fn service() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    connections(&mut stage, None);
    stage.pass(8);
    stage.keys("jj");
    compare(&mut stage, "service");
}

#[test]
fn what_is_not_read_yet_is_not_said_to_be_nothing() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    let drawn = stage.draw(80, 24);
    assert!(!drawn.contains("no connections"), "{drawn}");
    assert_eq!(drawn.matches("connections by state: being read").count(), 2, "{drawn}");
}

const CONNECTIONS: &str = "\
Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData
TCP CB007107 B2C1 C000020A 0050 0A000002 1F90 ESTABLISHED     895
TCP CB007108 B2C2 C000020A 0050 0A000003 1F90 ESTABLISHED     894
TCP CB007109 B2C3 C000020A 0050 0A000003 1F90 TIME_WAIT        54
TCP CB007107 0000 C000020A 0050 0A000002 1F90 NONE            299
TCP CB007107 B2C9 C000020B 0019 0A000003 1F90 ESTABLISHED     895
";

fn connections(stage: &mut Stage, destination: Option<&str>) {
    let destination = destination.map(|it| it.parse().unwrap());
    tell(stage, Place { service: id(WEB), destination }, CONNECTIONS);
}

/// The reader tells of the connections of a place in the kernel's list.
fn tell(stage: &mut Stage, place: Place, list: &str) {
    let reader = ipvs_netlink::procfs::ConnectionReader::new(list.as_bytes());
    let now: Moment = stage.now();
    let state = &mut stage.state;
    let table = std::sync::Arc::clone(&state.reading().unwrap().snapshot);
    pass(reader, place, &table, now, &mut |part| {
        state.learn(News::Connections(part));
        true
    });
}

#[test]
fn connections_of_a_service() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.keys("c");
    connections(&mut stage, None);
    compare(&mut stage, "connections");
}

#[test]
fn connections_of_a_destination() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    stage.key(Key::Enter);
    connections(&mut stage, Some("10.0.0.2:8080"));
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("1 connection, 1 template of persistence"), "{drawn}");
    assert!(!drawn.contains("10.0.0.3"), "{drawn}");
}

#[test]
fn help() {
    let mut stage = Stage::new();
    stage.keys("?");
    compare(&mut stage, "help");
    // No text is cut at any width.
    for width in [40, 60, 80] {
        let drawn = stage.draw(width, 120);
        for binding in crate::keys::BINDINGS {
            let last = binding.help.rsplit(' ').next().unwrap();
            assert!(drawn.contains(last), "{last}: {drawn}");
        }
        assert!(!drawn.contains('…'), "{drawn}");
    }
    stage.keys("G");
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("services that refuse new clients"), "{drawn}");
}

#[test]
fn changes() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.weight(WEB, "10.0.0.3:8080", 2);
    stage.read();
    stage.director(WEB, &DOWN.replace("\"up\"", "\"down\"").replacen("\"\"", "\"timeout\"", 1));
    stage.keys("e");
    compare(&mut stage, "changes");
    stage.keys("m");
    assert!(stage.draw(80, 24).contains("0 since the last look at 12:00:12"));
}

#[test]
fn a_question() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.key(Key::Enter);
    stage.keys("d");
    compare(&mut stage, "question");
}

#[test]
fn a_table_that_cannot_be_read_says_so() {
    let mut stage = Stage::new();
    stage.kernel.set_privileged(false);
    stage.pass(5);
    compare(&mut stage, "unreadable");
    stage.kernel.set_privileged(true);
    stage.read();
    assert!(!stage.draw(80, 24).contains("cannot"));
}

#[test]
fn a_reading_that_does_not_return_is_seen() {
    let mut stage = Stage::new();
    stage.state.learn(News::ReadingBegun(stage.now()));
    stage.kernel.advance(std::time::Duration::from_secs(75));
    stage.state.now = stage.now();
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("no reading for 1 min 15 s"), "{drawn}");
}

#[test]
fn without_colours_there_are_none() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.manners.theme = Theme::new(Colors::None);
    for keys in ["", "e", "q?", "q"] {
        stage.keys(keys);
        let buffer = stage.buffer(80, 24);
        let colored =
            buffer.content.iter().find(|cell| (cell.fg, cell.bg) != (Color::Reset, Color::Reset));
        assert_eq!(colored, None);
    }
}

#[test]
fn in_another_locale_than_utf8_all_is_ascii() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.manners.glyphs = Glyphs::Ascii;
    stage.state.service.select(&[id(WEB)], 0);
    for keys in ["", "e", "q?", "q", "l", "d"] {
        stage.keys(keys);
        let drawn = stage.draw(100, 30);
        assert!(drawn.is_ascii(), "{drawn}");
    }
}

#[test]
fn no_size_fails() {
    let mut stage = Stage::new();
    stage.director(WEB, DOWN);
    stage.state.service.select(&[id(WEB)], 0);
    for keys in ["", "e", "q?", "q", "l", "w", "1"] {
        stage.keys(keys);
        for (width, height) in
            [(0, 0), (1, 1), (5, 100), (500, 3), (19, 6), (20, 6), (21, 7), (33, 9)]
        {
            stage.draw(width, height);
        }
    }
}

#[test]
fn labels_name_services() {
    let mut labels = ipvs_netlink::metrics::ServiceLabels::new();
    let mut of_web = ipvs_netlink::table::Labels::new();
    of_web.insert("team", "Checkout").unwrap();
    labels.insert(id(WEB), of_web);
    let mut stage = Stage::new();
    stage.state.settings.labels = std::sync::Arc::new(labels);
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("LABELS") && drawn.contains("team=Checkout"), "{drawn}");
    assert!(crate::once::to_text(&stage.state, Glyphs::Unicode).contains("team=Checkout"));
    let json = crate::once::to_json(&stage.state);
    assert!(json.contains(r#""labels":{"team":"Checkout"}"#), "{json}");
    stage.keys("/checkout");
    assert_eq!(stage.state.shown(), 1);
    stage.key(Key::Enter);
    stage.key(Key::Enter);
    assert!(stage.draw(80, 24).starts_with("TCP 192.0.2.10:80 team=Checkout"));
}
