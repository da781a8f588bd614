//! What reconciling reads, from a kernel that follows a script.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use super::planning::{server, wanted, web};
use crate::engine::tests::script::{AnyReport, Script, done, dumped, ready, reported};
use crate::model::{Connections, DestinationEntry, Scheduler, ServiceEntry, Stats};
use crate::table::{PlanOptions, reconcile};
use crate::uapi::{IPVS_CMD_GET_DEST, IPVS_CMD_GET_SERVICE, IPVS_CMD_SET_SERVICE};

#[test]
fn a_scope_of_names_lists_no_services() {
    let script = Script::new();
    let mut engine = script.engine();
    let commands = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&commands);
    let mut scheduler = Scheduler::ROUND_ROBIN;
    script.serve(move |sent, _| {
        let command = sent[0].command();
        seen.lock().unwrap().push(command);
        match command {
            IPVS_CMD_GET_SERVICE => {
                let entry = ServiceEntry::new(web().scheduler(scheduler), Stats::default());
                // A list of services would end with a message of its own.
                reported(AnyReport::Service(entry))(sent)
            }
            IPVS_CMD_GET_DEST => {
                let none = Connections::default();
                let entry = DestinationEntry::new(server(1), none, Stats::default());
                dumped(vec![vec![AnyReport::Destination(entry)]])(sent)
            }
            _ => {
                scheduler = Scheduler::LEAST_CONNECTION;
                done(sent)
            }
        }
    });
    let desired = wanted(web().scheduler(Scheduler::LEAST_CONNECTION), &[server(1)]);
    let options = PlanOptions::new();
    let reconciled =
        ready(reconcile(&mut engine, &desired, &options, &mut |_| ControlFlow::Continue(())));
    let reconciled = reconciled.unwrap();
    assert!(reconciled.is_done() && reconciled.rounds.len() == 1, "{reconciled}");
    let commands = commands.lock().unwrap();
    let written = commands.iter().filter(|command| **command == IPVS_CMD_SET_SERVICE).count();
    assert_eq!(written, 1, "{commands:?}");
    assert!(commands.len() <= 7, "{commands:?}");
}
