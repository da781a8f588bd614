//! Orders over the kernel in memory, and over sockets of directors that misbehave.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use ipvs_netlink::fake::{Errno, Fault, Kernel};
use ipvs_netlink::{Change, Client, Destination, DestinationId};

use super::*;
use crate::stage::{Stage, WEB, id};
use crate::state::director::{Answer, Kind, Maintenance};
use crate::state::steering::{DirectorOrder, OrderedWeight, Seen};

const FIRST: &str = "10.0.0.2:8080";

fn destination(text: &str) -> DestinationId {
    text.parse().unwrap()
}

fn carry_out(source: &Source, director: Option<&Path>, order: &Order) -> Result<String, String> {
    super::carry_out(source, director, order).map_err(|failure| failure.to_string())
}

fn drain() -> Order {
    Order::Weight { service: id(WEB), destination: destination(FIRST), from: 1, to: 0 }
}

fn weight(kernel: &Kernel, text: &str) -> Option<u32> {
    let entry = kernel.initial().destination(id(WEB), destination(text));
    entry.map(|entry| entry.destination.weight)
}

#[test]
fn only_the_weight_is_written() {
    let stage = Stage::new();
    let before = stage.kernel.initial().table();
    carry_out(&stage.source, None, &drain()).unwrap();
    let changed: Vec<_> = stage
        .kernel
        .initial()
        .table()
        .services()
        .zip(before.services())
        .filter(|(after, before)| {
            let settings = |it: &ipvs_netlink::ServiceSnapshot| {
                let destinations = it.destinations.iter().map(|it| it.destination.clone());
                (it.entry.service.clone(), destinations.collect::<Vec<_>>())
            };
            settings(after) != settings(before)
        })
        .map(|(after, _)| after.id())
        .collect();
    assert_eq!(changed, [id(WEB)]);
    assert_eq!(weight(&stage.kernel, FIRST), Some(0));
    assert_eq!(weight(&stage.kernel, "10.0.0.3:8080"), Some(3));
}

#[test]
fn what_others_do_meanwhile_stays() {
    for nth in 1..15 {
        let stage = Stage::new();
        stage.kernel.before(nth, |kernel| {
            let host = kernel.initial();
            let new = Destination::masquerade("10.0.0.77:8080".parse().unwrap());
            host.write(&Change::AddDestination(id(WEB), new)).unwrap();
            let other = host.destination(id(WEB), destination("10.0.0.3:8080")).unwrap();
            let other = other.destination.weight(9).thresholds(7, 5);
            host.write(&Change::UpdateDestination(id(WEB), other)).unwrap();
        });
        let result = carry_out(&stage.source, None, &drain());
        if stage.kernel.requests() < nth {
            break;
        }
        let present = weight(&stage.kernel, "10.0.0.77:8080");
        let host = stage.kernel.initial();
        let other = host.destination(id(WEB), destination("10.0.0.3:8080")).unwrap().destination;
        // The hook may run after all requests of the order.
        if present.is_some() {
            let others = (other.weight, other.thresholds.upper);
            assert_eq!((present, others), (Some(1), (9, 7)), "before request {nth}: {result:?}");
        }
        let written = weight(&stage.kernel, FIRST) == Some(0);
        assert!(result.is_err() || written, "before request {nth}: {result:?}");
    }
}

#[test]
fn another_weight_meanwhile_is_no_success() {
    let mut overwritten = 0;
    for nth in 1..15 {
        let stage = Stage::new();
        let came = Arc::new(AtomicBool::new(false));
        let comes = Arc::clone(&came);
        stage.kernel.before(nth, move |kernel| {
            comes.store(true, Ordering::SeqCst);
            let host = kernel.initial();
            let present = host.destination(id(WEB), destination(FIRST)).unwrap();
            host.write(&Change::weight_of(id(WEB), &present, 7)).unwrap();
        });
        let result = carry_out(&stage.source, None, &drain());
        if !came.load(Ordering::SeqCst) {
            assert!(nth > 3, "the order has more requests");
            break;
        }
        match weight(&stage.kernel, FIRST) {
            Some(7) => assert!(result.is_err(), "before request {nth}: {result:?}"),
            other => {
                assert_eq!((other, result.is_ok()), (Some(0), true), "before request {nth}");
                overwritten += 1;
            }
        }
    }
    // Between the reading and the write. The kernel has no write with a condition.
    assert!(overwritten <= 1, "{overwritten}");
}

#[test]
fn a_lost_answer_is_looked_up() {
    for nth in 1..12 {
        let stage = Stage::new();
        stage.kernel.fail(nth, Fault::AnswerLost);
        let result = super::carry_out(&stage.source, None, &drain());
        let written = weight(&stage.kernel, FIRST) == Some(0);
        match result {
            Ok(_) => assert!(written, "request {nth}"),
            Err(Failure::Unknown(_)) => {}
            Err(failure) => assert!(!written, "request {nth}: {failure}"),
        }
    }
}

#[test]
fn nothing_is_written_that_a_director_keeps() {
    let stage = Stage::new();
    let director = Director::new("keeps", |_, _| {});
    let told = carry_out(&stage.source, Some(&director.0), &drain()).unwrap_err();
    assert!(told.contains("the director keeps"), "{told}");
    assert_eq!(weight(&stage.kernel, FIRST), Some(1));
    // Nor where nobody knows what it keeps.
    let mute = std::env::temp_dir().join(format!("top-mute-{}.socket", std::process::id()));
    let listener = UnixListener::bind(&mute).unwrap();
    thread::spawn(move || listener.incoming().for_each(drop));
    let told = carry_out(&stage.source, Some(&mute), &drain()).unwrap_err();
    std::fs::remove_file(&mute).unwrap();
    assert!(told.contains("nothing was changed: no answer from the director"), "{told}");
    assert_eq!(weight(&stage.kernel, FIRST), Some(1));
    carry_out(&stage.source, Some(Path::new("/no/such/socket")), &drain()).unwrap();
    assert_eq!(weight(&stage.kernel, FIRST), Some(0));
}

#[test]
fn a_refusal_of_the_kernel_is_told() {
    for nth in 1..12 {
        let stage = Stage::new();
        stage.kernel.fail(nth, Fault::Refused(Errno::NOMEM));
        let result = carry_out(&stage.source, None, &drain());
        let written = weight(&stage.kernel, FIRST) == Some(0);
        assert_eq!(result.is_ok(), written, "request {nth}: {result:?}");
    }
    let stage = Stage::new();
    stage.kernel.set_privileged(false);
    let told = carry_out(&stage.source, None, &drain()).unwrap_err();
    assert!(told.contains("nothing was changed") && told.contains("CAP_NET_ADMIN"), "{told}");
}

#[test]
fn counters_are_zeroed() {
    let stage = Stage::new();
    let counted =
        |kernel: &Kernel| kernel.initial().service(id(WEB)).unwrap().entry.stats.connections;
    assert!(counted(&stage.kernel) > 0);
    carry_out(&stage.source, None, &Order::Zero(id(WEB))).unwrap();
    assert_eq!(counted(&stage.kernel), 0);
    let gone = Order::Zero(id("TCP 192.0.2.99:80"));
    assert!(carry_out(&stage.source, None, &gone).is_err());
}

const STATUS: &str = r#"{"version":1,"answer":"status","status":{"services":[{
    "service":"TCP 192.0.2.10:80","available":true,"destinations":[
    {"destination":"10.0.0.2:8080","state":"up","weight":1}]}]}}"#;

/// An order of a user who saw no maintenance and no weight that was ordered.
fn given(order: DirectorOrder) -> Order {
    Order::Director { order, seen: Seen { maintenance: None, weight: None }, until: None }
}

/// A director that does this with each order. Its socket is removed at the end.
struct Director(PathBuf);

impl Director {
    fn new(name: &str, with: impl Fn(UnixStream, String) + Send + 'static) -> Self {
        let path = std::env::temp_dir().join(format!("top-{name}-{}.socket", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                let mut line = String::new();
                BufReader::new(&stream).read_line(&mut line).unwrap();
                match line.contains(r#""order":"status""#) {
                    true => writeln!(&stream, "{}", STATUS.replace('\n', "")).unwrap(),
                    false => with(stream, line),
                }
            }
        });
        Self(path)
    }

    fn give(&self, order: DirectorOrder) -> Result<String, String> {
        let source = Source::of(|| Client::fake(&Kernel::new()));
        carry_out(&source, Some(&self.0), &given(order))
    }
}

impl Drop for Director {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn order() -> DirectorOrder {
    let (service, destination) = (id(WEB), destination(FIRST));
    DirectorOrder::Maintain { service, destination, kind: Kind::Out, by: None, seconds: None }
}

#[test]
fn the_director_is_asked_and_its_answer_told() {
    for (answer, told) in [
        (r#"{"version":1,"answer":"done","lines":["it drains"]}"#, Ok("director: it drains")),
        (
            r#"{"version":1,"answer":"refused","lines":["no such thing"]}"#,
            Err("the director refuses, nothing was changed: no such thing"),
        ),
        (
            r#"{"version":1,"answer":"error","error":"not-allowed","text":"only status"}"#,
            Err("the director does not take the order: only status"),
        ),
        (
            r#"{"version":1,"answer":"error","error":"no-answer","text":"too busy"}"#,
            Err("too busy; it is not known whether the order was carried out"),
        ),
        (
            r#"{"version":2,"answer":"done"}"#,
            Err("the director speaks version 2 of its protocol, and this program version 1"),
        ),
    ] {
        let director = Director::new("answers", move |mut stream, line| {
            assert!(line.contains(r#""order":"maintain""#) && line.contains(r#""kind":"out""#));
            writeln!(stream, "{answer}").unwrap();
        });
        let result = director.give(order());
        assert_eq!(result.as_deref().map_err(String::as_str), told);
    }
}

#[test]
fn without_a_whole_answer_nobody_knows() {
    for answer in ["", "{\"version\":1,\"answer\":\"done\""] {
        let director = Director::new("half", move |mut stream, _| {
            write!(stream, "{answer}").unwrap();
        });
        let (service, destination) = (id(WEB), destination(FIRST));
        let weight = OrderedWeight::Number(2);
        let told =
            director.give(DirectorOrder::Weight { service, destination, weight }).unwrap_err();
        assert!(told.contains("it is not known whether"), "{told}");
    }
    let garbage = Director::new("garbage", |mut stream, _| {
        writeln!(stream, "\u{1b}[2J").unwrap();
    });
    assert!(garbage.give(order()).unwrap_err().contains("malformed"));
    // A director that floods does not fill memory: it is cut off.
    let flood = Director::new("flood", |mut stream, _| {
        let piece = vec![b'x'; 1 << 20];
        while stream.write_all(&piece).is_ok() {}
    });
    assert!(flood.give(order()).unwrap_err().contains("too long"));
}

#[test]
fn nobody_listens() {
    let path = std::env::temp_dir().join("top-no-such.socket");
    let source = Source::of(|| Client::fake(&Kernel::new()));
    let told = carry_out(&source, Some(&path), &given(order())).unwrap_err();
    assert!(told.contains("no director listens"), "{told}");
}

#[test]
fn an_order_is_not_given_over_one_that_the_user_has_not_seen() {
    let director = Director::new("seen", |_, line| panic!("{line}"));
    let maintenance =
        |by: &str| Some(Maintenance { kind: Kind::Drain, by: by.to_owned(), until: None });
    for (maintenance, weight) in [(maintenance("alice"), None), (None, Some(3))] {
        let order =
            Order::Director { order: order(), seen: Seen { maintenance, weight }, until: None };
        let source = Source::of(|| Client::fake(&Kernel::new()));
        let told = carry_out(&source, Some(&director.0), &order).unwrap_err();
        assert!(told.contains("somebody else has given an order"), "{told}");
    }
    let known = |text: &str| {
        let line = STATUS.replace(r#""weight":1"#, &format!(r#""weight":1,"maintenance":{text}"#));
        let Ok(Answer::Status(status)) = Answer::of_line(line.as_bytes()) else { panic!("{line}") };
        status.services[&id(WEB)].destination(destination(FIRST)).unwrap().clone()
    };
    let seen = |by| Seen { maintenance: maintenance(by), weight: None };
    let of_alice = known(r#"{"kind":"drain","by":"alice","until":null}"#);
    assert!(seen("alice").is(&of_alice) && seen("").is(&of_alice) && !seen("bob").is(&of_alice));
    assert!(!seen("alice").is(&known(r#"{"kind":"out","by":"alice","until":null}"#)));
    let ends = r#"{"kind":"drain","by":"alice","until":"2026-11-28T12:00:52Z"}"#;
    assert!(!seen("alice").is(&known(ends)));
}

#[test]
fn a_maintenance_is_given_back_with_the_time_that_is_left() {
    let director = Director::new("left", |mut stream, line| {
        let order: serde_json::Value = serde_json::from_str(&line).unwrap();
        let seconds = order["seconds"].as_u64().unwrap();
        assert!((50..=60).contains(&seconds), "{line}");
        writeln!(stream, r#"{{"version":1,"answer":"done","lines":[]}}"#).unwrap();
    });
    let (service, destination) = (id(WEB), destination(FIRST));
    let order = DirectorOrder::Maintain {
        service,
        destination,
        kind: Kind::Drain,
        by: None,
        seconds: Some(1800),
    };
    let seen = Seen { maintenance: None, weight: None };
    let source = Source::of(|| Client::fake(&Kernel::new()));
    let give = |until| {
        let order = Order::Director { order: order.clone(), seen: seen.clone(), until };
        carry_out(&source, Some(&director.0), &order)
    };
    let now = std::time::SystemTime::now();
    give(Some(now + Duration::from_secs(60))).unwrap();
    assert!(give(Some(now - Duration::from_secs(1))).unwrap_err().contains("over by now"));
}
