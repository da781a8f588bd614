//! Steps the execution of plans by hand, with a clock that only the test moves.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::kernel::{Rows, read, rows, write};
use super::planning::{everything, server, there, wanted, web};
use crate::engine::{Outcome, Report};
use crate::error::{Error, ErrorKind, Failure};
use crate::model::{Change, Connections, Operation, Scheduler, Service, Snapshot};
use crate::table::execute::{Sequencer, ServiceReading, Task};
use crate::table::{
    Applied, DrainPolicy, DrainUntil, Phase, Plan, PlanOptions, StepOutcome, Table,
};

fn error(kind: ErrorKind) -> Error {
    Error::for_test(kind, Operation::AddService)
}

fn sequencer(current: &Snapshot, desired: &Table, options: &PlanOptions) -> Sequencer<Plan> {
    Sequencer::new(Plan::new(current, desired, options).unwrap())
}

/// Asks what is next. Phases begin unseen.
fn next(sequencer: &mut Sequencer<Plan>, now: Instant) -> Task {
    loop {
        match sequencer.next(now) {
            Task::Begin(_) => {}
            task => return task,
        }
    }
}

fn answer(outcomes: impl IntoIterator<Item = Outcome>) -> Report {
    outcomes.into_iter().collect()
}

fn names(applied: &Applied) -> Vec<&'static str> {
    applied.outcomes().map(StepOutcome::name).collect()
}

/// A table, and a clock.
struct World {
    rows: Rows,
    begin: Instant,
    now: Instant,
    tasks: usize,
}

impl World {
    fn new(current: &Snapshot) -> Self {
        let begin = Instant::now();
        Self { rows: rows(current), begin, now: begin, tasks: 0 }
    }

    /// Does what is next until nothing is left. `wait` is called before each wait, with the time
    /// since the beginning.
    fn run(
        &mut self,
        sequencer: &mut Sequencer<Plan>,
        mut wait: impl FnMut(&mut Rows, Duration) -> ControlFlow<()>,
    ) {
        loop {
            self.tasks += 1;
            match next(sequencer, self.now) {
                Task::Read(id) => sequencer.saw(Ok(read(&self.rows, id)), self.now),
                Task::ReadSettings(id) => {
                    let entry = read(&self.rows, id).service.unwrap().into_owned();
                    sequencer.saw(Ok(ServiceReading::settings(entry)), self.now);
                }
                Task::Write(changes) => {
                    let make = |change| match write(&mut self.rows, change) {
                        Ok(()) => Outcome::Done,
                        Err(error) => Outcome::Refused(error),
                    };
                    sequencer.wrote(changes.iter().map(make).collect());
                }
                Task::Wait(until) => {
                    assert!(until > self.now, "a wait takes no time");
                    if wait(&mut self.rows, self.now - self.begin).is_break() {
                        sequencer.leave();
                    }
                    self.now = until;
                }
                Task::Finished => return,
                Task::Begin(phase) => unreachable!("{phase}"),
            }
        }
    }

    fn connect(rows: &mut Rows, host: u8, active: u32) {
        let entries = &mut rows.get_mut(&web().id).unwrap().1;
        if let Some(entry) = entries.get_mut(&server(host).id) {
            entry.connections = Connections { active, inactive: 0, persistent: 0 };
        }
    }
}

#[test]
fn an_hour_of_draining_takes_no_time() {
    let current = there(web(), &[server(1), server(2), server(3)]);
    let policy = DrainPolicy::new().deadline(Some(Duration::from_secs(3600)));
    let options = everything().drain(Some(policy));
    let mut sequencer = sequencer(&current, &wanted(web(), &[server(3)]), &options);
    let mut world = World::new(&current);
    for host in [1, 2] {
        World::connect(&mut world.rows, host, 5);
    }
    world.run(&mut sequencer, |rows, elapsed| {
        // The connections to the first server end after ten minutes, those to the second never.
        World::connect(rows, 1, if elapsed < Duration::from_secs(600) { 5 } else { 0 });
        assert_eq!(
            rows[&web().id].1.len(),
            if elapsed <= Duration::from_secs(600) { 3 } else { 2 }
        );
        ControlFlow::Continue(())
    });
    assert_eq!(world.now - world.begin, Duration::from_secs(3600));
    let waits = 3600 * 2;
    assert!((2 * waits..2 * waits + 10).contains(&world.tasks), "{}", world.tasks);
    sequencer.verify(None);
    world.run(&mut sequencer, |_, _| unreachable!());
    let applied = sequencer.finish();
    let cut = Connections { active: 5, inactive: 0, persistent: 0 };
    assert_eq!(names(&applied), ["done", "done", "done", "cut"]);
    assert!(applied.is_done() && applied.cut().eq([(3, cut)]), "{applied:?}");
}

#[test]
fn the_same_is_asked_for_until_it_is_answered() {
    let current = there(web(), &[server(1).weight(0), server(2)]);
    let mut sequencer = sequencer(&current, &wanted(web(), &[server(3)]), &everything());
    let mut now = Instant::now();
    let mut world = World::new(&current);
    let mut tasks = Vec::new();
    loop {
        let task = next(&mut sequencer, now);
        assert_eq!(sequencer.next(now), task);
        match &task {
            Task::Read(id) => {
                // Not what was asked for.
                sequencer.wrote(answer([Outcome::Refused(error(ErrorKind::InvalidValue))]));
                assert_eq!(sequencer.next(now), task);
                sequencer.saw(Ok(read(&world.rows, *id)), now);
            }
            Task::Write(changes) => {
                sequencer.saw(Err(error(ErrorKind::Other)), now);
                assert_eq!(sequencer.next(now), task);
                changes.iter().for_each(|change| write(&mut world.rows, change).unwrap());
                sequencer.wrote(answer(changes.iter().map(|_| Outcome::Done)));
            }
            Task::Wait(until) => now = *until,
            Task::Finished => break,
            other => panic!("{other:?}"),
        }
        tasks.push(task);
    }
    // Before a destination is taken away, and before what has drained is deleted.
    assert!(matches!(
        tasks[..],
        [Task::Write(_), Task::Read(_), Task::Write(_), Task::Read(_), ..]
    ));
    sequencer.saw(Err(error(ErrorKind::Other)), now);
    assert!(names(&sequencer.finish()).iter().all(|name| *name == "done"));
}

#[test]
fn an_object_of_another_program_gets_the_settings_and_nothing_else_is_read() {
    let desired = wanted(web().scheduler(Scheduler::LEAST_CONNECTION), &[server(1)]);
    let mut sequencer = sequencer(&Snapshot::default(), &desired, &everything());
    let now = Instant::now();
    let Task::Write(changes) = next(&mut sequencer, now) else { panic!("nothing is written") };
    assert_eq!(changes.len(), 2);
    let exists = [ErrorKind::ServiceExists, ErrorKind::DestinationExists];
    sequencer.wrote(answer(exists.map(|kind| Outcome::Refused(error(kind)))));
    assert_eq!(next(&mut sequencer, now), Task::ReadSettings(web().id));
    let theirs = there(web(), &[server(1)]);
    sequencer.saw(Ok(read(&rows(&theirs), web().id)), now);
    let update = desired.services().next().unwrap().service().clone();
    assert_eq!(next(&mut sequencer, now), Task::Write(vec![Change::UpdateService(update)]));
    assert_eq!(sequencer.before(0), Some(Change::UpdateService(web())));
    sequencer.wrote(answer([Outcome::Done]));
    assert_eq!(next(&mut sequencer, now), Task::Read(web().id));
    sequencer.saw(Ok(read(&rows(&theirs), web().id)), now);
    assert_eq!(next(&mut sequencer, now), Task::Finished);
    assert_eq!(names(&sequencer.finish()), ["replaced", "already-so"]);
}

#[test]
fn a_service_is_read_once_for_all_answers_that_were_lost_and_nothing_more_is_sent() {
    let service = |port: u16| Service::tcp(([192, 0, 2, 10], port).into());
    let many: Table = (1..=600).flat_map(|port| wanted(service(port), &[server(1)])).collect();
    let mut sequencer = sequencer(&Snapshot::default(), &many, &everything());
    let now = Instant::now();
    let Task::Write(first) = next(&mut sequencer, now) else { panic!("nothing is written") };
    assert_eq!(first.len(), 1024);
    let mut table = Rows::new();
    first[..1022].iter().for_each(|change| write(&mut table, change).unwrap());
    // All answers from the 1,001st on are lost. The kernel made all changes but the last two.
    let lost =
        |at| if at < 1000 { Outcome::Done } else { Outcome::Unknown(error(ErrorKind::Other)) };
    sequencer.wrote((0..1024).map(lost).collect());
    for port in 501..=512 {
        assert_eq!(next(&mut sequencer, now), Task::Read(service(port).id));
        sequencer.saw(Ok(read(&table, service(port).id)), now);
    }
    assert_eq!(next(&mut sequencer, now), Task::Finished);
    let applied = sequencer.finish();
    assert!(names(&applied)[..1022].iter().all(|name| *name == "done"));
    assert!(names(&applied)[1022..].iter().all(|name| *name == "failed"));
    let kind = |at| match applied.outcome(at) {
        Some(StepOutcome::Failed(error)) => error.kind(),
        other => panic!("{other:?}"),
    };
    assert_eq!((kind(1023), kind(1024)), (ErrorKind::Other, ErrorKind::NotAttempted));
}

#[test]
fn an_observer_ends_the_work_before_a_phase_or_the_wait() {
    let current = there(web(), &[server(1), server(2)]);
    let desired = wanted(web(), &[server(2), server(3)]);
    let now = Instant::now();
    let mut stopped = sequencer(&current, &desired, &everything());
    while stopped.next(now) != Task::Begin(Phase::Clear) {
        stopped.wrote(answer([Outcome::Done]));
    }
    stopped.stop();
    assert!(stopped.is_stopped() && stopped.next(now) == Task::Finished);
    assert_eq!(names(&stopped.finish()), ["done", "stopped", "stopped"]);

    let mut left = sequencer(&current, &desired, &everything());
    let mut world = World::new(&current);
    World::connect(&mut world.rows, 1, 1);
    let mut looks = 0;
    world.run(&mut left, |_, _| {
        looks += 1;
        if looks < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert!(!left.is_stopped());
    assert_eq!(names(&left.finish()), ["done", "done", "draining"]);
    assert_eq!(world.rows[&web().id].1.len(), 3);
}

#[test]
fn what_cannot_be_waited_for_fails() {
    let current = there(web(), &[server(1).weight(0), server(2)]);
    let options = everything().drain(Some(DrainPolicy::new().until(DrainUntil::NoConnections)));
    let mut sequencer = sequencer(&current, &wanted(web(), &[server(2)]), &options);
    let mut world = World::new(&current);
    World::connect(&mut world.rows, 1, 1);
    // Before the phase in which destinations are taken away, and to look at the connections.
    for _ in 0..2 {
        assert_eq!(next(&mut sequencer, world.now), Task::Read(web().id));
        sequencer.saw(Ok(read(&world.rows, web().id)), world.now);
    }
    assert_eq!(
        next(&mut sequencer, world.now),
        Task::Wait(world.now + DrainPolicy::new().interval)
    );
    let told = sequencer.report_drains(world.now, |progress| (progress.waiting, progress.left));
    assert_eq!(told, Some((1, DrainPolicy::new().deadline)));
    sequencer.fail(Failure::NoRuntime);
    assert_eq!(next(&mut sequencer, world.now), Task::Finished);
    assert_eq!(names(&sequencer.finish()), ["failed"]);
}

/// The update of the second server would give it a weight again, but comes after the first one's.
#[test]
fn a_weight_that_the_plan_raises_again_is_no_replacement() {
    let current = there(web(), &[server(1), server(2).weight(5)]);
    let desired = wanted(web(), &[server(2).weight(3)]);
    let mut sequencer = sequencer(&current, &desired, &everything());
    let now = Instant::now();
    assert_eq!(next(&mut sequencer, now), Task::Read(web().id));
    let stopped = there(web(), &[server(1), server(2).weight(0)]);
    sequencer.saw(Ok(read(&rows(&stopped), web().id)), now);
    let task = next(&mut sequencer, now);
    assert_eq!(task, Task::Finished);
    assert_eq!(names(&sequencer.finish()), ["kept", "kept", "kept"]);
}
