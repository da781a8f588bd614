//! Reloads and restarts.

use std::collections::BTreeMap;
use std::time::Duration;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::health::probe::Probe;
use ipvs_netlink::table::controller::Event as ControllerEvent;
use ipvs_netlink::{ServiceId, Timeouts};

use crate::configuration::{Commands, SharedAddress};
use crate::desk::tests::{SECOND, begin, begun, configuration, later, server, service};
use crate::desk::{Desk, Effect, valid};
use crate::state::{Saved, SavedMaintenance};

fn saved(until: Option<u32>) -> Saved {
    let maintenance = |host| {
        let until = until.map(|seconds| begin().wall + seconds * SECOND);
        let by = "alice".to_owned();
        ((service(80), server(host)), SavedMaintenance { kind: MaintenanceKind::Out, by, until })
    };
    Saved {
        owned: [service(80), service(81)].into(),
        maintenances: [maintenance(1), maintenance(7)].into(),
        weights: [((service(80), server(2)), 9)].into(),
        ..Saved::default()
    }
}

fn commands() -> Commands {
    Commands {
        available: vec!["/bin/true".to_owned()],
        unavailable: vec!["/bin/true".to_owned()],
        timeout: 5 * SECOND,
        retry: 5 * SECOND,
        shared_address: SharedAddress::Any,
    }
}

#[test]
fn a_restart_goes_on_with_orders_and_gives_back_what_left_the_file() {
    let now = begin();
    let (desk, told) = begun(&[(80, &[(1, 1), (2, 1)])], saved(Some(60)), now);
    assert_eq!(told.log, ["watch 80", "maintain 10.0.0.1:8080: out, by alice, ends by itself"]);
    let until = told.maintained[&(service(80), server(1))].until;
    assert_eq!(until, Some(now.instant + 60 * SECOND));
    assert_eq!(told.watched[&service(80)].destination(server(2)).unwrap().weight(), Some(9));
    assert_eq!(desk.former().collect::<Vec<_>>(), [service(81)]);
    // Server 7 is not in the file.
    assert_eq!(desk.saved().0.maintenances.len(), 1);
}

#[test]
fn a_maintenance_that_ended_while_nobody_ran_does_not_begin_again() {
    let now = later(begin(), 61 * SECOND);
    let (desk, told) = begun(&[(80, &[(1, 1), (2, 1)])], saved(Some(60)), now);
    assert_eq!(told.log, ["watch 80"]);
    assert!(desk.saved().0.maintenances.is_empty());
}

#[test]
fn a_reload_touches_only_what_has_changed() {
    let now = begin();
    let before = configuration(&[(80, &[(1, 1)]), (81, &[(1, 1)]), (82, &[(1, 1)])]);
    let mut desk = Desk::new(before.clone(), Saved::default(), now);
    let mut told = super::Told::default();
    told.take(&mut desk, now);
    assert_eq!(desk.examine(&before), Ok(vec![]));
    let lines = desk.reload(before.clone(), now);
    assert_eq!(lines, ["the file has 3 services: 0 new, 0 changed, 3 as before; 0 gone"]);
    assert!(told.take(&mut desk, now).is_empty());
    let mut after = configuration(&[(80, &[(1, 2)]), (81, &[(1, 1)]), (83, &[(1, 1)])]);
    after.timeouts = Timeouts::default().udp(9 * SECOND);
    assert_eq!(desk.examine(&after), Ok(vec![service(83)]));
    let watched = desk.to_be_watched(&after);
    assert_eq!(watched.iter().map(|it| it.id()).collect::<Vec<_>>(), [service(80), service(83)]);
    let lines = desk.reload(after, later(now, SECOND));
    assert_eq!(lines, ["the file has 3 services: 1 new, 1 changed, 1 as before; 1 gone"]);
    assert_eq!(told.take(&mut desk, now), ["forget 82", "watch 80", "watch 83", "settings"]);
    // It is the daemon's until it has left.
    assert!(desk.saved().0.owned.contains(&service(82)));
    desk.controller_event(&ControllerEvent::Left(service(82)), now);
    assert!(!desk.saved().0.owned.contains(&service(82)));
}

#[test]
fn a_change_of_commands_does_not_disturb_checks() {
    let now = begin();
    let mut configuration = configuration(&[(80, &[(1, 1)])]);
    let service = configuration.services.get_mut(&service(80)).unwrap();
    service.commands = Some(commands());
    let mut desk = Desk::new(configuration.clone(), Saved::default(), now);
    let mut told = super::Told::default();
    assert_eq!(told.take(&mut desk, now), ["hold 6s", "watch 80"]);
    let service = configuration.services.values_mut().next().unwrap();
    service.commands.as_mut().unwrap().available = vec!["/bin/false".to_owned()];
    desk.reload(configuration.clone(), now);
    assert!(told.take(&mut desk, now).is_empty());
    // Another time for the withdrawal is another time for the last destination.
    configuration.services.values_mut().next().unwrap().commands.as_mut().unwrap().timeout = SECOND;
    desk.reload(configuration, now);
    assert_eq!(told.take(&mut desk, now), ["hold 2s", "watch 80"]);
}

#[test]
fn what_needs_a_restart_is_refused_and_nothing_changes() {
    let now = begin();
    let (mut desk, mut told) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    let mut other = configuration(&[(80, &[(1, 5)])]);
    other.namespace = Some("blue".into());
    let reasons = desk.examine(&other).unwrap_err();
    assert_eq!(reasons, ["`namespace` cannot change while the daemon runs: restart it instead"]);
    desk.refuse_reload(&reasons, now);
    assert!(told.take(&mut desk, now).is_empty());
    let troubles = |desk: &Desk| desk.status(None, None, |_| String::new(), now).troubles;
    assert_eq!(troubles(&desk).len(), 1);
    desk.reload(configuration(&[(80, &[(1, 5)])]), now);
    assert!(troubles(&desk).is_empty());
}

#[test]
fn everything_that_the_runner_would_refuse_is_found_before() {
    let mut configuration = configuration(&[(80, &[(1, 1)]), (81, &[(1, 1)])]);
    for service in configuration.services.values_mut() {
        service.checks.checks[0].0 = Probe::tcp().timeout(Duration::ZERO);
    }
    let faults = valid(&configuration).unwrap_err();
    assert_eq!(faults.len(), 2);
    assert!(faults[1].starts_with("TCP 192.0.2.10:81: timeout 0s: "), "{faults:?}");
    let mut portless = super::configuration(&[(80, &[])]);
    let service = portless.services.values_mut().next().unwrap();
    service.table.insert(ipvs_netlink::Destination::masquerade(([10, 0, 0, 1], 0).into()));
    let expected = "TCP 192.0.2.10:80: 10.0.0.1:0 has port 0, so the check needs a port of its own";
    assert_eq!(valid(&portless).unwrap_err().last().unwrap(), expected);
    let mut through = super::configuration(&[(80, &[(1, 1)])]);
    through.services.values_mut().next().unwrap().checks.checks[0].0.through = true;
    let expected = "TCP 192.0.2.10:80: a check through the virtual address needs a range of marks";
    assert_eq!(valid(&through).unwrap_err(), [expected]);
}

/// Returns the services with their commands that are to be withdrawn.
fn withdrawn(desk: &mut Desk) -> Vec<(ServiceId, Vec<String>)> {
    let (mut known, mut withdrawn) = (BTreeMap::new(), Vec::new());
    for effect in desk.effects() {
        match effect {
            Effect::Announce { service, commands: Some(commands), .. } => {
                known.insert(service, commands.unavailable);
            }
            Effect::Forget(service) => {
                withdrawn.extend(known.remove(&service).map(|command| (service, command)));
            }
            _ => {}
        }
    }
    withdrawn
}

#[test]
fn what_leaves_is_held_until_its_command_has_withdrawn_it() {
    let now = begin();
    let mut configuration = configuration(&[(80, &[(1, 1)]), (81, &[(1, 1)])]);
    configuration.services.get_mut(&service(80)).unwrap().commands = Some(commands());
    let mut desk = Desk::new(configuration.clone(), Saved::default(), now);
    let mut told = super::Told::default();
    told.take(&mut desk, now);
    configuration.services.remove(&service(80));
    desk.reload(configuration.clone(), now);
    assert_eq!(told.take(&mut desk, now), ["forget 80"], "no other time to hold");
    desk.controller_event(&ControllerEvent::Left(service(80)), now);
    desk.withdrawn(service(80));
    desk.reload(configuration, now);
    assert_eq!(told.take(&mut desk, now), ["hold 0ns"]);
}

#[test]
fn a_service_that_left_the_file_meanwhile_is_withdrawn_by_its_former_command() {
    let now = begin();
    let mut before = configuration(&[(80, &[(1, 1)]), (81, &[(1, 1)]), (82, &[(1, 1)])]);
    for port in [80, 81] {
        before.services.get_mut(&service(port)).unwrap().commands = Some(commands());
    }
    let desk = Desk::new(before, Saved::default(), now);
    let saved = Saved::parse(desk.saved().0.text().as_bytes()).unwrap();

    let after = configuration(&[(81, &[(1, 1)])]);
    let mut desk = Desk::new(after.clone(), saved.clone(), now);
    desk.withdraw_former();
    let mut told = super::Told::default();
    assert_eq!(told.take(&mut desk, now), ["hold 6s", "watch 81", "forget 80"]);
    let mut desk = Desk::new(after.clone(), saved.clone(), now);
    desk.withdraw_former();
    assert_eq!(withdrawn(&mut desk), [(service(80), commands().unavailable)]);
    // That of 81 is not in the file any more, and what it has announced is the operator's.
    desk.controller_event(&ControllerEvent::Left(service(80)), now);
    // The command has failed, and the daemon ends: another one tries again.
    let saved_later = Saved::parse(desk.saved().0.text().as_bytes()).unwrap();
    for keeps_former in [false, true] {
        let mut desk = Desk::new(after.clone(), saved_later.clone(), now);
        if keeps_former {
            desk.disown_former();
        }
        desk.withdraw_former();
        assert_eq!(withdrawn(&mut desk), [(service(80), commands().unavailable)]);
        // What is in the file is withdrawn by its own commands.
        desk.withdrawn(service(81));
        desk.withdrawn(service(80));
        assert!(desk.saved().0.withdrawals.is_empty());
    }

    let mut desk = Desk::new(after, saved, now);
    desk.disown_former();
    desk.withdraw_former();
    assert!(withdrawn(&mut desk).is_empty() && desk.saved().0.withdrawals.is_empty());
}

#[test]
fn each_refusal_is_told() {
    let now = begin();
    let (mut desk, _) = begun(&[(80, &[(1, 1)])], Saved::default(), now);
    for _ in 0..2 {
        desk.refuse_reload(&["no".to_owned()], now);
        let [Effect::Tell(event)] = &desk.effects()[..] else { panic!("nothing is told") };
        assert_eq!(event.kind, "trouble");
    }
}
