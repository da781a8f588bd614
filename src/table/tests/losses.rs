//! Tests plans whose answers or readings are lost, with a scripted kernel.

use std::ops::ControlFlow;
use std::time::Duration;

use rustix::io::Errno;

use super::planning::{everything, server, there, wanted, web};
use crate::engine::tests::script::{
    AnyReport, Event, Raw, Script, done, dumped, give_up, ready, refused, reported,
};
use crate::model::{
    Connections, Destination, DestinationEntry, Scheduler, Service, ServiceEntry, ServiceSnapshot,
    Snapshot, Stats,
};
use crate::table::{Applied, DrainPolicy, Plan, Progress, StepOutcome, Table, apply, apply_from};
use crate::uapi::{IPVS_CMD_DEL_DEST, IPVS_CMD_GET_SERVICE};

const fn active(active: u32) -> Connections {
    Connections { active, inactive: 0, persistent: 0 }
}

fn found(service: Service) -> AnyReport {
    AnyReport::Service(ServiceEntry::new(service, Stats::default()))
}

fn entry(destination: Destination, connections: Connections) -> DestinationEntry {
    DestinationEntry::new(destination, connections, Stats::default())
}

const fn go_on(_: &Progress<'_>) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A later plan must not take the snapshot for the current table.
#[test]
fn a_snapshot_is_not_complete_after_a_plan_that_was_given_up() {
    let mut snapshot = Snapshot::new(there(web(), &[server(1)]).into_iter().collect(), true, None);
    let desired = wanted(web().scheduler(Scheduler::LEAST_CONNECTION), &[server(1)]);
    let plan = Plan::new(&snapshot, &desired, &everything()).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    script.then(|_| vec![Event::Blocked]);
    give_up(apply_from(&mut engine, &plan, &mut snapshot, &mut go_on));
    assert!(!snapshot.is_complete(), "{snapshot:?}");
}

#[test]
fn connections_that_broke_are_told_although_the_answer_was_lost() {
    let service = ServiceEntry::new(web(), Stats::default());
    let leaves = entry(server(1), active(3));
    let stays = entry(server(2), active(0));
    let current: Snapshot =
        [ServiceSnapshot::new(service, vec![leaves, stays.clone()])].into_iter().collect();
    let options = everything().drain(None);
    let plan = Plan::new(&current, &wanted(web(), &[server(2)]), &options).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    let mut lost = false;
    script.serve(move |sent, _| match sent[0].command() {
        IPVS_CMD_GET_SERVICE => reported(found(web()))(sent),
        IPVS_CMD_DEL_DEST => {
            assert!(!std::mem::replace(&mut lost, true));
            vec![Event::Never]
        }
        _ => dumped(vec![vec![AnyReport::Destination(stays.clone())]])(sent),
    });
    let applied = ready(apply(&mut engine, &plan, &mut go_on));
    assert!(applied.is_done(), "{applied:?}");
    assert_eq!(applied.cut().collect::<Vec<_>>(), [(0, active(3))]);
}

/// The service at 192.0.2.10 can be read, and its destination is busy for half a minute. The
/// service at 192.0.2.11 cannot be read once the clock advances.
#[test]
fn a_service_that_cannot_be_read_ends_no_other_drain() {
    let other = || Service::tcp("192.0.2.11:80".parse().unwrap()).scheduler(Scheduler::ROUND_ROBIN);
    let table = |destinations: &[Destination]| -> Table {
        [web(), other()].into_iter().flat_map(|service| wanted(service, destinations)).collect()
    };
    let current = Snapshot::from(&table(&[server(1).weight(0), server(2)]));
    let options = everything().drain(Some(DrainPolicy::new().deadline(None)));
    let plan = Plan::new(&current, &table(&[server(2)]), &options).unwrap();
    assert_eq!(plan.len(), 2);
    let script = Script::new();
    let mut engine = script.engine();
    let is_other =
        |sent: &[Raw]| sent[0].payload.windows(4).any(|octets| octets == [192, 0, 2, 11]);
    let mut deleted = false;
    script.serve(move |sent, elapsed| match sent[0].command() {
        _ if is_other(sent) && elapsed > Duration::ZERO => refused(Errno::NOMEM)(sent),
        IPVS_CMD_GET_SERVICE => reported(found(if is_other(sent) { other() } else { web() }))(sent),
        IPVS_CMD_DEL_DEST => {
            deleted = true;
            done(sent)
        }
        _ => {
            let busy = active(u32::from(is_other(sent) || elapsed < Duration::from_secs(30)));
            let leaving = (!deleted).then(|| entry(server(1).weight(0), busy));
            let all = leaving.into_iter().chain([entry(server(2), active(0))]);
            dumped(vec![all.map(AnyReport::Destination).collect()])(sent)
        }
    });
    let applied: Applied = ready(apply(&mut engine, &plan, &mut go_on));
    assert!(matches!(applied.outcome(0), Some(StepOutcome::Done)), "{applied:?}");
    assert!(matches!(applied.outcome(1), Some(StepOutcome::Failed(_))), "{applied:?}");
    assert_eq!(script.elapsed(), Duration::from_secs(30));
}

/// At the deadline other programs write so much that every reading is incomplete and lacks the
/// draining destination.
#[test]
fn connections_that_break_at_the_deadline_are_told_although_the_reading_misses_them() {
    let current = there(web(), &[server(1).weight(0), server(2), server(3)]);
    let policy = DrainPolicy::new().deadline(Some(Duration::from_secs(10)));
    let options = everything().drain(Some(policy));
    let desired = wanted(web(), &[server(2), server(3)]);
    let plan = Plan::new(&current, &desired, &options).unwrap();
    let script = Script::new();
    let mut engine = script.engine();
    let (mut deleted, mut readings) = (false, 0);
    script.serve(move |sent, elapsed| match sent[0].command() {
        IPVS_CMD_GET_SERVICE => reported(found(web()))(sent),
        IPVS_CMD_DEL_DEST => {
            deleted = true;
            done(sent)
        }
        _ => {
            readings += 1;
            let other = |host| AnyReport::Destination(entry(server(host), active(0)));
            let leaving = AnyReport::Destination(entry(server(1).weight(0), active(3)));
            if deleted {
                dumped(vec![vec![other(2), other(3)]])(sent)
            } else if elapsed < Duration::from_secs(10) {
                dumped(vec![vec![leaving, other(2), other(3)]])(sent)
            } else if readings % 2 == 0 {
                dumped(vec![vec![other(2)], vec![other(3)]])(sent)
            } else {
                dumped(vec![vec![other(3)], vec![other(2)]])(sent)
            }
        }
    });
    let applied = ready(apply(&mut engine, &plan, &mut go_on));
    assert!(applied.is_done(), "{applied:?}");
    assert_eq!(applied.cut().collect::<Vec<_>>(), [(0, active(3))]);
}
