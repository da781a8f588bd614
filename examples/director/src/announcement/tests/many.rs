//! Thousands of services.

use std::collections::BTreeSet;

use ipvs_netlink::ServiceId;

use crate::announcement::tests::world::{World, commands, id};
use crate::announcement::{Action, Announcements, Outcome, State};
use crate::configuration::SharedAddress;

fn nth(n: u16) -> ServiceId {
    ServiceId::tcp(([10, 1, n.to_be_bytes()[0], n.to_be_bytes()[1]], 80).into())
}

#[test]
fn no_more_commands_run_than_allowed_and_all_have_their_turn() {
    let mut world = World::new();
    for n in 0..10_000 {
        world.watch(nth(n), commands(SharedAddress::Any));
        world.up(nth(n));
    }
    let mut seen = BTreeSet::new();
    let mut running = Vec::new();
    loop {
        while let Some(action) = world.machine.due(world.now) {
            let Action::Start(run) = action else { panic!("nothing is to be stopped") };
            assert!(seen.insert(run.service));
            running.push(run.number);
        }
        assert!(running.len() <= 32);
        let Some(number) = running.pop() else { break };
        world.machine.ended(number, Outcome::Succeeded(String::new()), world.now);
    }
    assert_eq!(seen.len(), 10_000);
}

#[test]
fn withdrawals_come_first() {
    let mut world = World { machine: Announcements::new(1), ..World::new() };
    for port in 1..=5 {
        world.watch(id(port), commands(SharedAddress::Ignore));
        world.up(id(port));
    }
    assert_eq!(world.begin(), ["1 up"]);
    world.succeed();
    assert_eq!(world.begin(), ["2 up"]);
    world.dies(id(1));
    world.succeed();
    assert_eq!(world.begin(), ["1 down"]);
    world.succeed();
    assert_eq!(world.settle(), ["3 up", "4 up", "5 up"]);
    assert!(world.is_told(id(1), State::Unavailable));
}
