//! Random keys while the table changes: nothing panics, nothing is selected that is not there, and no order
//! is given without an answer to its question.

use std::time::Duration;

use ipvs_netlink::{Change, Destination};
use proptest::prelude::*;

use crate::keys::{Effect, Key};
use crate::stage::{DNS, Stage, WEB, id};
use crate::state::director::Absence;
use crate::state::steering::{Errand, Failure};
use crate::state::{Mode, News, Screen};

#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    Weight(u8, u32),
    Add(u8),
    Delete(u8),
    DeleteService,
    Time(u64),
    Privileged(bool),
    Director(bool),
    Finish(bool),
    Resize(u16, u16),
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        8 => prop::sample::select(
            super::BINDINGS.iter().flat_map(|it| it.keys).copied().collect::<Vec<_>>()
        ),
        2 => prop::sample::select(vec![Key::Char('y'), Key::Char('n'), Key::Enter, Key::Backspace]),
        1 => any::<char>().prop_map(Key::Char),
        1 => prop::sample::select(vec![Key::Char('1'), Key::Char('0'), Key::Control('u')]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => key().prop_map(Step::Key),
        1 => (2..5_u8, 0..4_u32).prop_map(|(host, weight)| Step::Weight(host, weight)),
        1 => (2..9_u8).prop_map(Step::Add),
        1 => (2..9_u8).prop_map(Step::Delete),
        1 => Just(Step::DeleteService),
        2 => (1..20_u64).prop_map(Step::Time),
        1 => any::<bool>().prop_map(Step::Privileged),
        1 => any::<bool>().prop_map(Step::Director),
        2 => any::<bool>().prop_map(Step::Finish),
        1 => (0..100_u16, 0..40_u16).prop_map(|(width, height)| Step::Resize(width, height)),
    ]
}

const STATES: &str = r#"{"destination":"10.0.0.2:8080","state":"down","weight":1},
    {"destination":"10.0.0.3:8080","state":"drained","weight":1,
     "maintenance":{"kind":"drain","by":"bob","until":null}},
    {"destination":"10.0.0.9:8080","state":"out","weight":1}"#;

/// What happens beside keys. What the kernel refuses does not happen.
fn happen(stage: &mut Stage, step: &Step, waiting: &mut Option<Box<Errand>>) {
    let host = stage.kernel.initial();
    let server = |number: u8| format!("10.0.0.{number}:8080").parse().unwrap();
    match *step {
        Step::Weight(number, weight) => {
            if let Some(entry) = host.destination(id(WEB), server(number)) {
                let _ = host.write(&Change::weight_of(id(WEB), &entry, weight));
            }
        }
        Step::Add(number) => {
            let new = Destination::masquerade(([10, 0, 0, number], 8080).into());
            let _ = host.write(&Change::AddDestination(id(WEB), new));
        }
        Step::Delete(number) => {
            let _ = host.write(&Change::DeleteDestination(id(WEB), server(number)));
        }
        Step::DeleteService => {
            let _ = host.write(&Change::DeleteService(id(DNS)));
        }
        Step::Time(seconds) => {
            stage.kernel.advance(Duration::from_secs(seconds));
            stage.state.now = stage.now();
        }
        Step::Privileged(privileged) => stage.kernel.set_privileged(privileged),
        Step::Director(true) => stage.director(WEB, STATES),
        Step::Director(false) => {
            let silent = Err(Absence::Failed("no answer".to_owned()));
            stage.state.learn(News::Director(stage.now(), silent));
        }
        Step::Finish(success) => {
            if let Some(errand) = waiting.take() {
                let failure = Failure::Unknown(String::new());
                let result = if success { Ok(String::new()) } else { Err(failure) };
                stage.state.learn(News::Done { errand, result });
            }
        }
        Step::Resize(width, height) => {
            stage.draw(width, height);
        }
        Step::Key(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn keys_in_any_order(steps in prop::collection::vec(step(), 0..80)) {
        let mut stage = Stage::new();
        let mut waiting = None;
        for step in &steps {
            if let Step::Key(key) = step {
                let question = match &stage.state.mode {
                    Mode::Confirm(proposal) => Some(proposal.order.clone()),
                    _ => None,
                };
                if let Some(Effect::Order(errand)) = stage.key(*key) {
                    prop_assert!(matches!(key, Key::Char('y' | 'Y')));
                    prop_assert_eq!(Some(&errand.order), question.as_ref());
                    prop_assert!(waiting.is_none(), "two orders at a time");
                    waiting = Some(errand);
                }
            } else {
                happen(&mut stage, step, &mut waiting);
                stage.read();
            }
            let state = &stage.state;
            let ids = state.shown_ids();
            prop_assert_eq!(state.service.key(), ids.get(state.service.at()).copied());
            if let Screen::Service(service) = state.screen() {
                let ids = state.destination_ids(service);
                prop_assert_eq!(state.destination.key(), ids.get(state.destination.at()).copied());
            }
        }
        stage.draw(80, 24);
    }
}
