//! Tasks have numbers, and the same inputs give the same tasks.

use std::time::Duration;

use crate::model::Change;
use crate::table::controller::tests::world::{World, id_of, numbered, options, web_with};
use crate::table::controller::{Answer, Next};
use crate::table::tests::planning::web;

#[test]
fn a_foreign_answer_is_ignored() {
    let (mut one, mut other) = (World::new(options()), World::new(options()));
    one.controller.wish(web_with(&[1]));
    other.controller.wish(web_with(&[1]));
    let (Next::Do(task), Next::Do(foreign)) =
        (one.controller.next(one.now), other.controller.next(other.now))
    else {
        panic!("both have to list");
    };
    assert_eq!(task.work(), foreign.work());
    let answer = other.perform(&foreign);
    assert!(!one.controller.answer(foreign.number(), answer.clone(), one.now));
    assert!(!one.controller.answer(task.number(), Answer::Readings(Vec::new()), one.now));
    assert!(one.controller.answer(task.number(), answer.clone(), one.now));
    assert!(!one.controller.answer(task.number(), answer, one.now));
}

#[test]
fn the_same_inputs_and_times_give_the_same_tasks_and_events() {
    let run = || {
        let mut world = World::new(options().seed(42));
        let mut all = Vec::new();
        for turn in 0..200_u16 {
            match turn % 5 {
                0 => world.controller.wish(web_with(&[1, (turn % 7 + 2).to_le_bytes()[0]])),
                1 => world.controller.wish(numbered(turn % 11 + 1)),
                2 => world.controller.forget(numbered(turn % 13 + 1).id()),
                3 => drop(world.write(&Change::DeleteDestination(web().id, id_of(1)))),
                _ => drop(world.write(&Change::DeleteService(numbered(turn % 11 + 1).id()))),
            }
            world.pass(Duration::from_millis(u64::from(turn) * 17));
            all.extend(world.take_log());
            all.extend(world.take_events());
            all.push(format!("{:?}", world.now - world.begin));
        }
        all
    };
    assert_eq!(run(), run());
}
