//! Services that share an address.

use crate::announcement::tests::world::{SECOND, SETTLES, World, commands, id};
use crate::announcement::{Outcome, Reason, State};
use crate::configuration::SharedAddress;

fn both(rule: SharedAddress) -> World {
    let mut world = World::new();
    for port in [80, 443] {
        world.watch(id(port), commands(rule));
        world.up(id(port));
    }
    assert_eq!(world.settle(), ["80 up", "443 up"]);
    world
}

#[test]
fn any_keeps_an_address_while_one_service_serves() {
    let mut world = both(SharedAddress::Any);
    world.dies(id(80));
    assert!(world.settle().is_empty());
    assert_eq!(world.status(id(80)), "announced");
    world.dies(id(443));
    assert_eq!(world.settle(), ["80 down", "443 down"]);
    world.up(id(443));
    assert_eq!(world.settle(), ["443 up"], "80 serves nobody");
}

#[test]
fn all_withdraws_an_address_when_one_service_dies() {
    let mut world = both(SharedAddress::All);
    world.dies(id(80));
    assert_eq!(world.begin(), ["80 down", "443 down"]);
    assert_eq!(world.running[1].reason, Reason::Shared);
    world.succeed();
    world.up(id(80));
    assert_eq!(world.settle(), ["80 up", "443 up"]);
}

#[test]
fn ignore_announces_each_for_itself() {
    let mut world = both(SharedAddress::Ignore);
    world.dies(id(80));
    assert_eq!(world.settle(), ["80 down"]);
    assert!(world.is_told(id(443), State::Available));
}

#[test]
fn a_service_that_leaves_does_not_withdraw_the_address_of_another() {
    for rule in [SharedAddress::Any, SharedAddress::All] {
        let mut world = both(rule);
        world.machine.forget(id(80), world.now);
        assert!(world.settle().is_empty(), "{rule:?}");
        assert!(world.machine.forgotten().next().is_none());
        world.machine.forget(id(443), world.now);
        assert_eq!(world.settle(), ["443 down"], "{rule:?}");
    }
}

#[test]
fn all_announces_again_when_the_dead_service_leaves() {
    let mut world = both(SharedAddress::All);
    world.dies(id(80));
    world.settle();
    world.machine.forget(id(80), world.now);
    assert_eq!(world.settle(), ["443 up"]);
}

#[test]
fn a_restart_withdraws_nothing_of_a_shared_address_before_all_have_been_checked() {
    for rule in [SharedAddress::Any, SharedAddress::All] {
        let mut world = World::new();
        world.watch(id(80), commands(rule));
        world.watch(id(443), commands(rule));
        world.up(id(80));
        let begun = world.settle();
        assert_eq!(begun.len(), usize::from(rule == SharedAddress::Any), "{rule:?}");
        assert!(world.pass(SETTLES - SECOND).is_empty());
        // All servers of the other one are dead.
        world.now += 2 * SECOND;
        let begun = world.settle();
        match rule {
            SharedAddress::All => assert_eq!(begun, ["80 down", "443 down"]),
            _ => assert!(begun.is_empty()),
        }
    }
}

#[test]
fn a_service_that_joins_leaves_the_address_as_it_is_until_it_is_checked() {
    for rule in [SharedAddress::Any, SharedAddress::All] {
        let mut world = both(rule);
        world.watch(id(8443), commands(rule));
        assert!(world.pass(SETTLES - SECOND).is_empty(), "{rule:?}");
        world.up(id(8443));
        assert_eq!(world.settle(), ["8443 up"]);
    }
}

#[test]
fn a_command_for_one_state_waits_for_those_of_the_other() {
    let mut world = both(SharedAddress::Any);
    world.dies(id(80));
    world.dies(id(443));
    assert_eq!(world.begin(), ["80 down", "443 down"], "these may run together");
    world.up(id(80));
    let first = world.running.remove(0);
    world.machine.ended(first.number, Outcome::Succeeded(String::new()), world.now);
    assert!(world.begin().is_empty(), "443 still removes the address");
    world.succeed();
    assert_eq!(world.settle(), ["80 up"]);
}
