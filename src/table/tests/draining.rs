//! Tests draining of a destination with a clock that advances only while the code waits.

use std::ops::ControlFlow;
use std::time::Duration;

use super::planning::{server, web};
use crate::engine::tests::script::{AnyReport, Script, done, dumped, ready, reported};
use crate::model::{Connections, DestinationEntry, ServiceEntry, Stats};
use crate::table::{DrainPolicy, Drained};
use crate::uapi::{IPVS_CMD_GET_DEST, IPVS_CMD_GET_SERVICE, IPVS_CMD_SET_DEST};

/// Drains a destination that has the given connections at each moment. Returns the result, the time
/// taken and the number of reports to the observer.
fn drain(
    policy: DrainPolicy,
    connections: impl Fn(Duration) -> Connections + Send + 'static,
) -> (Drained, Duration, usize) {
    let script = Script::new();
    let mut engine = script.engine();
    let mut weight = Some(1);
    script.serve(move |sent, elapsed| match sent[0].command() {
        IPVS_CMD_GET_SERVICE => {
            reported(AnyReport::Service(ServiceEntry::new(web(), Stats::default())))(sent)
        }
        IPVS_CMD_GET_DEST => {
            let entry = |weight| {
                let destination = server(1).weight(weight);
                let connections = connections(elapsed);
                let entry = DestinationEntry::new(destination, connections, Stats::default());
                AnyReport::Destination(entry)
            };
            dumped(vec![weight.map(entry).into_iter().collect()])(sent)
        }
        command => {
            weight = (command == IPVS_CMD_SET_DEST).then_some(0);
            done(sent)
        }
    });
    let mut looks = 0;
    let drained =
        ready(crate::table::drain(&mut engine, web().id, server(1).id, policy, &mut |_| {
            looks += 1;
            ControlFlow::Continue(())
        }));
    (drained.unwrap(), script.elapsed(), looks)
}

const fn connections(active: u32, inactive: u32) -> Connections {
    Connections { active, inactive, persistent: 0 }
}

#[test]
fn a_destination_is_deleted_when_its_connections_have_been_quiet() {
    // The last connection closes after 10 seconds.
    let closes = |elapsed| match elapsed < Duration::from_secs(10) {
        true => connections(1, 0),
        false => connections(0, 1),
    };
    let (drained, elapsed, looks) = drain(DrainPolicy::new(), closes);
    assert_eq!(drained, Drained::Emptied);
    // The drain ends 5 quiet seconds after a reading saw the close. Readings come every half
    // second.
    assert_eq!((elapsed, looks), (Duration::from_secs(15), 30));
}

#[test]
fn a_destination_that_stays_busy_is_cut_at_the_deadline() {
    let policy = DrainPolicy::new().deadline(Some(Duration::from_secs(86_400)));
    let policy = policy.interval(Duration::from_secs(60));
    let (drained, elapsed, looks) = drain(policy, |_| connections(2, 0));
    assert_eq!(drained, Drained::Cut(connections(2, 0)));
    assert_eq!((elapsed, looks), (Duration::from_secs(86_400), 1440));
}
