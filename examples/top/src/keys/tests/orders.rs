//! Orders: their questions, what refuses them, and what takes them back.

use ipvs_netlink::{Change, Destination};

use super::on;
use crate::keys::{Effect, Key, press};
use crate::stage::{DNS, Stage, WEB, id};
use crate::state::steering::{DirectorOrder, Errand, Failure, Order, OrderedWeight, Undo};
use crate::state::{Mode, News, Screen, Writer};

const FIRST: &str = "10.0.0.2:8080";
const DRAINED: &str = "10.0.0.4:8080";

/// The order that a key gave, and what takes it back.
fn ordered(effect: Option<Effect>) -> (Order, Option<Undo>) {
    let Some(Effect::Order(errand)) = effect else { panic!("{effect:?}") };
    (errand.order, errand.undo)
}

fn director_order(undo: Option<Undo>) -> DirectorOrder {
    let Order::Director { order, .. } = undo.unwrap().order else { panic!() };
    order
}

fn done(stage: &mut Stage, order: &Order, undo: &Option<Undo>, result: Result<&str, &str>) {
    let errand = Box::new(Errand { order: order.clone(), undo: undo.clone() });
    let result = result.map(str::to_owned).map_err(|text| Failure::Unchanged(text.to_owned()));
    stage.state.learn(News::Done { errand, result });
}

#[test]
fn a_drain_is_asked_for_and_undone() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("gd");
    // Nothing but y and n is an answer.
    for key in [Key::Enter, Key::Char('x'), Key::Char('d'), Key::Down] {
        assert_eq!(stage.key(key), None);
        assert!(matches!(stage.state.mode, Mode::Confirm(_)), "{key}");
    }
    let (order, undo) = ordered(stage.keys("y"));
    let (service, destination) = (id(WEB), FIRST.parse().unwrap());
    assert_eq!(order, Order::Weight { service, destination, from: 1, to: 0 });
    // A second order waits for the first.
    stage.keys("d");
    assert_eq!(stage.state.mode, Mode::Normal);
    assert!(stage.state.note.as_ref().unwrap().is_bad);
    done(&mut stage, &order, &undo, Ok("done"));

    stage.keys("un");
    stage.keys("u");
    let (order, undo) = ordered(stage.keys("y"));
    assert_eq!(order, Order::Weight { service, destination, from: 0, to: 1 });
    // What fails can be tried again.
    done(&mut stage, &order, &undo, Err("refused"));
    stage.keys("u");
    ordered(stage.keys("y"));
    done(&mut stage, &order, &undo, Ok("done"));
    stage.keys("u");
    assert!(stage.state.note.as_ref().unwrap().text.contains("nothing to undo"));
}

#[test]
fn a_weight_is_typed() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("g");
    assert_eq!(stage.keys("w"), None);
    stage.key(Key::Control('u'));
    stage.keys("x-9");
    stage.key(Key::Enter);
    let (Order::Weight { to, .. }, _) = ordered(stage.keys("y")) else { panic!() };
    assert_eq!(to, 9);

    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("w99999999999999");
    stage.key(Key::Enter);
    assert!(matches!(&stage.state.mode, Mode::Weight(_, _, text) if text == "3999999999"));
    assert!(stage.draw(80, 24).contains("a weight is 0 to 2147483647"));
    stage.key(Key::Escape);
    assert_eq!(stage.state.mode, Mode::Normal);
}

#[test]
fn a_restored_destination_is_offered_its_last_weight() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.weight(WEB, FIRST, 17);
    stage.read();
    stage.weight(WEB, FIRST, 0);
    stage.read();
    stage.keys("gr");
    assert!(matches!(&stage.state.mode, Mode::Weight(_, _, text) if text == "17"));
    stage.key(Key::Enter);
    let (Order::Weight { from, to, .. }, _) = ordered(stage.keys("y")) else { panic!() };
    assert_eq!((from, to), (0, 17));
}

#[test]
fn where_others_steer_orders_are_refused() {
    let mut stage = on(Screen::Service(id(WEB)));
    let mut reading = stage.state.reading().unwrap().clone();
    reading.writers.found = vec![Writer { name: "keepalived".to_owned(), process: 7 }];
    stage.state.learn(News::Read(Ok(reading.clone())));
    for keys in ["d", "r", "w"] {
        stage.keys(keys);
        assert_eq!(stage.state.mode, Mode::Normal);
        let text = &stage.state.note.as_ref().unwrap().text;
        assert!(text.contains("keepalived (process 7) steers this table"), "{text}");
    }
    // Nobody steers counters.
    stage.keys("z");
    assert!(matches!(stage.state.mode, Mode::Confirm(_)));
    stage.keys("n");
    // Where processes are hidden, the user decides.
    reading.writers.found.clear();
    reading.writers.are_hidden = true;
    stage.state.learn(News::Read(Ok(reading)));
    stage.keys("d");
    assert!(stage.draw(80, 24).contains("Not all processes are to be seen"));
}

#[test]
fn old_readings_and_read_only_refuse() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.kernel.advance(std::time::Duration::from_secs(11));
    stage.state.now = stage.now();
    stage.keys("d");
    assert!(stage.state.note.as_ref().unwrap().text.contains("last read 11 s ago"));
    stage.read();
    stage.state.settings.read_only = true;
    for keys in ["d", "w", "z"] {
        stage.keys(keys);
        assert!(stage.state.note.as_ref().unwrap().text.contains("--read-only"), "{keys}");
    }
}

#[test]
fn the_director_gets_the_orders_for_its_services() {
    let states = format!(
        r#"{{"destination":"{FIRST}","state":"up","weight":1}},
           {{"destination":"{DRAINED}","state":"drained","weight":1,
             "maintenance":{{"kind":"drain","by":"alice","until":null}}}}"#
    );
    let (service, destination) = (id(WEB), FIRST.parse().unwrap());
    let mut stage = on(Screen::Service(id(WEB)));
    stage.director(WEB, &states);
    stage.keys("gd");
    let (Order::Director { order, .. }, undo) = ordered(stage.keys("y")) else { panic!() };
    assert!(matches!(order, DirectorOrder::Maintain { seconds: None, .. }), "{order:?}");
    let end = DirectorOrder::EndMaintenance { service, destination };
    assert_eq!(director_order(undo), end);

    let mut stage = on(Screen::Service(id(WEB)));
    stage.director(WEB, &states);
    stage.keys("Gd");
    assert!(stage.state.note.as_ref().unwrap().text.contains("drained already"));
    stage.keys("r");
    let (Order::Director { order, .. }, undo) = ordered(stage.keys("y")) else { panic!() };
    assert!(matches!(order, DirectorOrder::EndMaintenance { .. }), "{order:?}");
    let DirectorOrder::Maintain { by, .. } = director_order(undo) else { panic!() };
    assert_eq!(by.as_deref(), Some("alice"));

    let mut stage = on(Screen::Service(id(WEB)));
    stage.director(WEB, &states);
    stage.keys("gw");
    stage.keys("2");
    stage.key(Key::Enter);
    let (Order::Director { order, .. }, undo) = ordered(stage.keys("y")) else { panic!() };
    let weight = OrderedWeight::Number(12);
    assert_eq!(order, DirectorOrder::Weight { service, destination, weight });
    let weight = OrderedWeight::File;
    let undone = DirectorOrder::Weight { service, destination, weight };
    assert_eq!(director_order(undo), undone);
}

#[test]
fn a_director_that_does_not_answer_refuses() {
    use crate::state::director::Absence;
    let mut stage = on(Screen::Service(id(WEB)));
    let silent = Err(Absence::Failed("timed out".to_owned()));
    stage.state.learn(News::Director(stage.now(), silent));
    for keys in ["d", "r", "w"] {
        stage.keys(keys);
        let text = &stage.state.note.as_ref().unwrap().text;
        assert!(text.contains("the director steers this table, and does not answer"), "{text}");
    }
}

#[test]
fn yes_is_no_answer_to_a_question_that_was_not_seen() {
    let mut stage = on(Screen::Service(id(WEB)));
    for key in "gdy".chars() {
        assert_eq!(press(&mut stage.state, Key::Char(key)), None);
    }
    // Nor to one that the screen is too small for.
    for (width, height) in [(10, 3), (40, 7)] {
        let drawn = stage.draw(width, height);
        assert!(!drawn.contains("yes"), "{drawn}");
        assert_eq!(press(&mut stage.state, Key::Char('y')), None);
    }
    assert!(stage.draw(40, 15).contains("y yes"));
    ordered(press(&mut stage.state, Key::Char('y')));
}

#[test]
fn a_long_name_is_whole_in_the_question() {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(DNS)], 0);
    stage.key(Key::Enter);
    let address = "[2001:db8:1111:2222:3333:4444:5555:6666]:53";
    let new = Destination::masquerade(address.parse().unwrap());
    stage.write(Change::AddDestination(id(DNS), new));
    stage.read();
    stage.keys("Gd");
    let drawn = stage.draw(30, 15);
    let inside: String = drawn.lines().filter_map(|line| line.split('│').nth(1)).collect();
    assert!(inside.replace(' ', "").contains(address), "{drawn}");
}

#[test]
fn an_undo_is_refused_where_the_director_has_come() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("gd");
    let (order, undo) = ordered(stage.keys("y"));
    done(&mut stage, &order, &undo, Ok("done"));
    stage.keys("u");
    let states = format!(r#"{{"destination":"{FIRST}","state":"up","weight":1}}"#);
    stage.director(WEB, &states);
    assert_eq!(stage.keys("y"), None);
    let text = &stage.state.note.as_ref().unwrap().text;
    assert!(text.contains("the director keeps this service now"), "{text}");
    // A keepalived refuses, too, and a reading that is old.
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("gd");
    let mut reading = stage.state.reading().unwrap().clone();
    reading.writers.found = vec![Writer { name: "keepalived".to_owned(), process: 7 }];
    stage.state.learn(News::Read(Ok(reading)));
    assert_eq!(stage.keys("y"), None);
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("gd");
    stage.kernel.advance(std::time::Duration::from_secs(3600));
    stage.state.now = stage.now();
    assert_eq!(stage.keys("y"), None);
    assert!(stage.state.note.as_ref().unwrap().text.contains("last read"));
}

#[test]
fn a_question_for_the_director_says_what_it_replaces() {
    let states = format!(
        r#"{{"destination":"{FIRST}","state":"out","weight":1,
             "maintenance":{{"kind":"out","by":"bob","until":null}}}}"#
    );
    let mut stage = on(Screen::Service(id(WEB)));
    for number in [3, 4] {
        stage.weight(WEB, &format!("10.0.0.{number}:8080"), u32::from(number == 4));
        stage.weight(WEB, &format!("10.0.0.{number}:8080"), 0);
    }
    stage.read();
    stage.director(WEB, &states);
    stage.keys("gd");
    let drawn = stage.draw(80, 24);
    assert!(drawn.contains("It is out by order of bob: this replaces that order."), "{drawn}");
    assert!(drawn.contains("No other destination takes clients"), "{drawn}");
}

#[test]
fn an_undo_that_fails_does_not_hide_those_before_it() {
    let mut stage = on(Screen::Service(id(WEB)));
    for (keys, key) in [("gd", None), ("gjw", Some("5"))] {
        stage.keys(keys);
        if let Some(typed) = key {
            stage.key(Key::Control('u'));
            stage.keys(typed);
            stage.key(Key::Enter);
        }
        let (order, undo) = ordered(stage.keys("y"));
        done(&mut stage, &order, &undo, Ok("done"));
    }
    stage.keys("u");
    assert!(stage.draw(80, 24).contains("10.0.0.3:8080"));
    let (order, undo) = ordered(stage.keys("y"));
    done(&mut stage, &order, &undo, Err("it is gone"));
    stage.keys("u");
    let (Order::Weight { destination, .. }, _) = ordered(stage.keys("y")) else { panic!() };
    assert_eq!(destination, FIRST.parse().unwrap());
}

#[test]
fn what_was_perhaps_done_can_be_taken_back() {
    for (failure, is_kept) in [
        (Failure::Unknown("no answer".to_owned()), true),
        (Failure::Unchanged("refused".to_owned()), false),
        (Failure::Outdated("it has weight 5".to_owned()), false),
    ] {
        let mut stage = on(Screen::Service(id(WEB)));
        stage.keys("gd");
        let (order, undo) = ordered(stage.keys("y"));
        let errand = Box::new(Errand { order, undo });
        stage.state.learn(News::Done { errand, result: Err(failure.clone()) });
        stage.keys("u");
        assert_eq!(matches!(stage.state.mode, Mode::Confirm(_)), is_kept, "{failure:?}");
    }
}

#[test]
fn an_undo_that_cannot_succeed_any_more_is_forgotten() {
    let drained = || {
        let mut stage = on(Screen::Service(id(WEB)));
        stage.keys("gd");
        let (order, undo) = ordered(stage.keys("y"));
        done(&mut stage, &order, &undo, Ok("done"));
        stage
    };
    let nothing_left = |stage: &mut Stage| {
        stage.keys("u");
        let text = &stage.state.note.as_ref().unwrap().text;
        assert!(text.contains("nothing to undo"), "{text}");
    };
    // It failed, and would again.
    let mut stage = drained();
    stage.keys("u");
    let (order, undo) = ordered(stage.keys("y"));
    let errand = Box::new(Errand { order, undo });
    let result = Err(Failure::Outdated("it has weight 5".to_owned()));
    stage.state.learn(News::Done { errand, result });
    nothing_left(&mut stage);
    // Its destination is gone.
    let mut stage = drained();
    stage.write(Change::DeleteDestination(id(WEB), FIRST.parse().unwrap()));
    stage.read();
    stage.keys("u");
    let text = &stage.state.note.as_ref().unwrap().text;
    assert!(text.contains("not in the table any more; forgotten: Give weight 1 back"), "{text}");
    nothing_left(&mut stage);
    // What is refused for now stays.
    let mut stage = drained();
    stage.kernel.advance(std::time::Duration::from_secs(11));
    stage.state.now = stage.now();
    stage.keys("u");
    assert!(stage.state.note.as_ref().unwrap().text.contains("last read"));
    stage.read();
    stage.keys("u");
    assert!(matches!(stage.state.mode, Mode::Confirm(_)));
}

#[test]
fn the_director_must_have_answered_lately() {
    let states = format!(r#"{{"destination":"{FIRST}","state":"up","weight":1}}"#);
    let mut stage = on(Screen::Service(id(WEB)));
    stage.director(WEB, &states);
    stage.keys("gd");
    stage.pass(11);
    assert_eq!(stage.keys("y"), None);
    let text = &stage.state.note.as_ref().unwrap().text;
    assert!(text.contains("the director last answered 11 s ago"), "{text}");
}

#[test]
fn a_destination_that_took_the_place_of_another_gets_no_order_unseen() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("g");
    stage.write(Change::DeleteDestination(id(WEB), FIRST.parse().unwrap()));
    stage.read();
    stage.read();
    for keys in ["d", "r", "w"] {
        stage.keys(keys);
        assert_eq!(stage.state.mode, Mode::Normal);
        let text = &stage.state.note.as_ref().unwrap().text;
        assert!(text.contains("is gone: select one"), "{text}");
    }
    stage.keys("gd");
    assert!(matches!(stage.state.mode, Mode::Confirm(_)));
}

#[test]
fn no_weight_is_offered_where_none_is_known() {
    let mut stage = on(Screen::Service(id(WEB)));
    stage.keys("Gr");
    assert!(matches!(&stage.state.mode, Mode::Weight(_, _, text) if text.is_empty()));
    stage.key(Key::Enter);
    assert!(stage.draw(80, 24).contains("a weight is 0 to"));
}

#[test]
fn an_undo_says_whose_drain_it_ends() {
    let of = |maintenance: &str| {
        format!(
            r#"{{"destination":"{FIRST}","state":"up","weight":1,"maintenance":{maintenance}}}"#
        )
    };
    let mut stage = on(Screen::Service(id(WEB)));
    stage.director(WEB, &of("null"));
    stage.keys("gd");
    let (order, undo) = ordered(stage.keys("y"));
    done(&mut stage, &order, &undo, Ok("done"));
    stage.director(WEB, &of(r#"{"kind":"drain","by":"root","until":null}"#));
    stage.keys("u");
    assert!(stage.draw(80, 24).contains("It drains by order of root."));
    let (Order::Director { seen, .. }, _) = ordered(stage.keys("y")) else { panic!() };
    assert_eq!(seen.maintenance.unwrap().by, "root");
}

#[test]
fn the_last_live_destination_is_not_drained_unwarned() {
    let mut stage = on(Screen::Service(id(WEB)));
    let of = |second: &str| {
        format!(
            r#"{{"destination":"10.0.0.2:8080","state":"up","since":null,"reason":"","maintenance":null,"weight":1}},
            {{"destination":"10.0.0.3:8080","state":"{second}","since":null,"reason":"","maintenance":null,"weight":1}}"#
        )
    };
    stage.connections(WEB, "10.0.0.3:8080", 0, 0);
    stage.read();
    let mut question = |second: &str| {
        stage.director(WEB, &of(second));
        stage.keys("gd");
        let drawn = stage.draw(100, 30);
        stage.keys("n");
        drawn
    };
    let (no_other, dead) =
        ("No other destination takes clients", "Only dead destinations are left to take clients");
    let drawn = question("kept");
    assert!(drawn.contains(dead) && !drawn.contains(no_other), "{drawn}");
    let drawn = question("up");
    assert!(!drawn.contains(dead) && !drawn.contains(no_other), "{drawn}");
}
