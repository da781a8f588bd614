//! Every key, on every screen.

use ipvs_netlink::Change;

mod orders;
mod random;

use super::*;
use crate::stage::{Stage, WEB, id};
use crate::state::{Column, Screen};

const FIRST: &str = "10.0.0.2:8080";

/// A stage on a screen, with the first entry but one selected.
fn on(screen: Screen) -> Stage {
    let mut stage = Stage::new();
    stage.state.service.select(&[id(WEB)], 0);
    stage.state.sort();
    match screen {
        Screen::Overview => {}
        Screen::Service(_) => {
            stage.key(Key::Enter);
            stage.keys("j");
        }
        Screen::Connections(_) => {
            stage.keys("c");
        }
        Screen::Changes => {
            for weight in 1..30 {
                stage.weight(WEB, FIRST, weight % 2 + 1);
                stage.read();
            }
            stage.keys("e");
        }
    }
    stage.draw(80, 24);
    stage
}

fn screens() -> [Screen; 4] {
    let place = crate::state::connections::Place { service: id(WEB), destination: None };
    [Screen::Overview, Screen::Service(id(WEB)), Screen::Connections(place), Screen::Changes]
}

/// Where the selection or the list is.
fn place(stage: &Stage) -> usize {
    match stage.state.screen() {
        Screen::Overview => stage.state.service.at(),
        Screen::Service(_) => stage.state.destination.at(),
        Screen::Connections(_) | Screen::Changes => stage.state.scroll,
    }
}

#[test]
fn every_key_does_what_the_help_says() {
    for screen in screens() {
        for binding in BINDINGS.iter().filter(|it| it.on.is_on(screen)) {
            for key in binding.keys {
                let mut stage = on(screen);
                assert_eq!(stage.state.screen(), screen);
                check(&mut stage, screen, *key, binding.action);
            }
        }
    }
}

fn check(stage: &mut Stage, screen: Screen, key: Key, action: Action) {
    let before = (place(stage), stage.state.view.clone());
    let effect = stage.key(key);
    let state = &stage.state;
    let what = format!("{key} on {screen:?}: {effect:?}");
    let question = |state: &State| match &state.mode {
        Mode::Confirm(proposal) => proposal.question.join(" "),
        _ => String::new(),
    };
    match action {
        Action::Help => assert_eq!(state.mode, Mode::Help(0), "{what}"),
        Action::Quit => assert_eq!(effect, Some(Effect::Quit), "{what}"),
        Action::Back | Action::BackOnly => {
            assert_eq!(state.screen(), Screen::Overview, "{what}");
            let quits = action == Action::Back && screen == Screen::Overview;
            assert_eq!(effect, quits.then_some(Effect::Quit), "{what}");
        }
        Action::Move(_) => {
            assert_eq!(effect, None, "{what}");
            moves(stage, screen, key, before.0);
        }
        Action::Open => match screen {
            Screen::Overview => assert_eq!(state.screen(), Screen::Service(id(WEB)), "{what}"),
            _ => assert!(
                matches!(state.screen(), Screen::Connections(it) if it.destination.is_some())
            ),
        },
        Action::Connections => {
            assert!(matches!(state.screen(), Screen::Connections(it) if it.destination.is_none()));
        }
        Action::Filter => assert!(matches!(state.mode, Mode::Filter(_)), "{what}"),
        Action::Sort { right } => {
            assert_eq!(state.view.column, before.1.column.beside(right), "{what}");
            assert_eq!(effect, Some(Effect::Remember), "{what}");
        }
        Action::Reverse => {
            assert_eq!(state.view.descending, !before.1.descending, "{what}");
            assert_eq!(effect, Some(Effect::Remember), "{what}");
        }
        Action::Hold => assert!(state.is_held, "{what}"),
        Action::Changes => assert_eq!(state.screen(), Screen::Changes, "{what}"),
        Action::Seen => assert_eq!(state.changes.unseen(), 0, "{what}"),
        Action::Drain => assert!(question(state).starts_with("Drain 10.0.0.3:8080"), "{what}"),
        Action::Restore | Action::Weight => {
            assert!(matches!(&state.mode, Mode::Weight(..)), "{what}");
        }
        Action::Zero => assert!(question(state).contains("cannot be undone"), "{what}"),
        Action::Undo => {
            assert!(state.note.as_ref().is_some_and(|it| it.text.contains("nothing to undo")));
        }
        Action::ReadNow => assert_eq!(effect, Some(Effect::ReadNow), "{what}"),
        Action::Redraw => assert_eq!(effect, Some(Effect::Redraw), "{what}"),
        Action::Suspend => assert_eq!(effect, Some(Effect::Suspend), "{what}"),
    }
}

/// Checks a move from the place `before`.
fn moves(stage: &mut Stage, screen: Screen, key: Key, before: usize) {
    stage.draw(80, 24);
    let after = place(stage);
    let (page, all) = (
        stage.state.page,
        match screen {
            Screen::Overview | Screen::Service(_) => 3,
            Screen::Connections(_) => 0,
            Screen::Changes => 29,
        },
    );
    let last = match screen {
        Screen::Overview | Screen::Service(_) => 2,
        _ => usize::saturating_sub(all, page),
    };
    let expected = match key {
        Key::Char('k') | Key::Up => before.saturating_sub(1),
        Key::Char('j') | Key::Down => before + 1,
        Key::Control('u') => before.saturating_sub(page / 2),
        Key::Control('d') => before + page / 2,
        Key::Control('b') | Key::PageUp => before.saturating_sub(page - 1),
        Key::Control('f') | Key::PageDown => before + page - 1,
        Key::Char('g') | Key::Home => 0,
        Key::Char('G') | Key::End => usize::MAX,
        _ => panic!("{key}"),
    };
    assert_eq!(after, expected.min(last), "{key} on {screen:?}");
}

#[test]
fn keys_that_are_bound_nowhere_do_nothing() {
    for screen in screens() {
        let mut stage = on(screen);
        for key in ('!'..='~').map(Key::Char).chain((1..=12).map(Key::Function)) {
            if action(screen, key).is_none() {
                assert_eq!(stage.key(key), None, "{key}");
                assert_eq!((stage.state.screen(), &stage.state.mode), (screen, &Mode::Normal));
            }
        }
    }
}

#[test]
fn the_filter_follows_as_one_types() {
    let mut stage = Stage::new();
    stage.keys("/");
    for (typed, shown) in [("1", 3), ("92.0.2.11", 1), (" wlc", 1), (" drained", 0)] {
        stage.keys(typed);
        assert_eq!(stage.state.shown(), shown, "{typed}");
    }
    stage.key(Key::Control('w'));
    assert_eq!(stage.state.shown(), 1);
    stage.key(Key::Backspace);
    assert_eq!(stage.key(Key::Enter), Some(Effect::Remember));
    assert_eq!(stage.state.view.filter.text(), "192.0.2.11 wlc");
    assert_eq!(stage.state.mode, Mode::Normal);

    stage.keys("/");
    stage.key(Key::Control('u'));
    assert_eq!(stage.state.shown(), 3);
    stage.keys("q?");
    assert_eq!(stage.state.shown(), 0);
    stage.key(Key::Escape);
    assert_eq!((stage.state.view.filter.text(), stage.state.shown()), ("192.0.2.11 wlc", 1));
}

#[test]
fn escape_shows_all_services_again() {
    let mut stage = Stage::new();
    stage.keys("/mail");
    stage.key(Key::Backspace);
    stage.keys("nothing");
    stage.key(Key::Enter);
    assert_eq!(stage.state.shown(), 0);
    assert_eq!(stage.key(Key::Escape), Some(Effect::Remember));
    assert_eq!((stage.state.view.filter.text(), stage.state.shown()), ("", 3));
    assert_eq!(stage.key(Key::Escape), None);

    // A screen above keeps the filter.
    stage.keys("/udp");
    stage.key(Key::Enter);
    stage.key(Key::Enter);
    stage.key(Key::Escape);
    assert_eq!((stage.state.screen(), stage.state.shown()), (Screen::Overview, 1));
}

#[test]
fn an_order_that_is_held_stays() {
    let mut stage = Stage::new();
    let ids = |stage: &Stage| stage.state.shown_ids().to_vec();
    let before = ids(&stage);
    assert_eq!(before[0], id(crate::stage::DNS));
    stage.keys("p");
    stage.traffic(crate::stage::DNS, "[2001:db8::2]:53", 0);
    let new = ipvs_netlink::Service::tcp("192.0.2.1:1".parse().unwrap());
    let new_id = new.id;
    stage.write(Change::AddService(new));
    stage.pass(20);
    assert_eq!(ids(&stage), [before.clone(), vec![new_id]].concat());
    assert!(stage.draw(80, 24).starts_with("top: services, order held"));
    stage.keys("p");
    assert_eq!(ids(&stage)[0], id(WEB));
    // Another order is no longer held.
    stage.keys("p>");
    assert!(!stage.state.is_held);
}

#[test]
fn a_filter_finds_destinations_and_states() {
    for (filter, shown) in [
        ("10.0.0.3", 1),
        ("DRAINED", 1),
        ("overloaded", 1),
        ("up", 2),
        ("down", 1),
        ("dead", 0),
        ("2001:DB8::3", 1),
        ("udp", 1),
        ("nothing", 0),
    ] {
        let mut stage = Stage::new();
        stage.keys("/");
        stage.keys(filter);
        assert_eq!(stage.state.shown(), shown, "{filter}");
    }
}

#[test]
fn every_column_sorts_in_both_directions() {
    let mut stage = Stage::new();
    for _ in Column::ALL {
        stage.keys(">");
        let ids = |stage: &Stage| -> Vec<_> { stage.state.shown_ids().to_vec() };
        let column = stage.state.view.column;
        let rows: Vec<_> = stage.state.shown_rows().map(|row| *row.unwrap()).collect();
        for pair in rows.windows(2) {
            let order = column.compare(&pair[0], &pair[1]);
            let wrong = if column.descends() { order.is_lt() } else { order.is_gt() };
            assert!(!wrong, "{column:?}");
        }
        let before = ids(&stage);
        stage.keys("R");
        let rows: Vec<_> = stage.state.shown_rows().map(|row| *row.unwrap()).collect();
        for pair in rows.windows(2) {
            let order = column.compare(&pair[0], &pair[1]);
            let wrong = if column.descends() { order.is_gt() } else { order.is_lt() };
            assert!(!wrong, "{column:?} reversed");
        }
        stage.keys("R");
        assert_eq!(ids(&stage), before);
    }
}

#[test]
fn the_selection_stays_with_its_service() {
    let mut stage = on(Screen::Overview);
    for _ in Column::ALL {
        stage.keys(">");
        assert_eq!(stage.state.service.key(), Some(id(WEB)));
    }
    stage.write(Change::DeleteService(id(WEB)));
    stage.read();
    assert!(stage.state.service.key().is_some_and(|it| it != id(WEB)));
}

#[test]
fn the_help_scrolls_and_closes() {
    let mut stage = on(Screen::Overview);
    stage.keys("?j");
    assert_eq!(stage.state.mode, Mode::Help(1));
    for key in [Key::Char('q'), Key::Char('?'), Key::Escape] {
        stage.state.mode = Mode::Help(0);
        assert_eq!(stage.key(key), None);
        assert_eq!(stage.state.mode, Mode::Normal);
    }
    assert_eq!(stage.key(Key::Control('c')), Some(Effect::Quit));
}
