//! Tests which requests reconciling sends, with a scripted kernel.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use rustix::io::Errno;

use super::planning::{server, wanted, web};
use crate::engine::tests::script::{
    AnyReport, Raw, Script, done, dumped, ready, refused, reported,
};
use crate::model::{Connections, DestinationEntry, Scheduler, Service, ServiceEntry, Stats};
use crate::table::{
    PlanOptions, ReconcileError, Scope, StepOutcome, Table, TableService, reconcile,
};
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

/// A table of before may have a service that was refused then.
#[test]
fn what_no_kernel_can_have_is_not_asked_for() {
    let odd: Table =
        [TableService::new(Service::tcp("[fe80::1%2]:80".parse().unwrap()))].into_iter().collect();
    let script = Script::new();
    let mut engine = script.engine();
    let options = PlanOptions::new().scope(Scope::new().formerly(&odd));
    let none = Table::new();
    let reconciled =
        ready(reconcile(&mut engine, &none, &options, &mut |_| ControlFlow::Continue(())));
    assert!(reconciled.unwrap().is_done());
    let refused = ready(reconcile(&mut engine, &odd, &options, &mut |_| ControlFlow::Continue(())));
    assert!(matches!(refused, Err(ReconcileError::Plan(_))), "{refused:?}");
}

/// A kernel without IPv6 for IPVS refuses to look for a service of IPv6.
#[test]
fn a_service_that_the_kernel_cannot_have_keeps_no_other_from_being_added() {
    let other = Service::tcp("[2001:db8::10]:80".parse().unwrap());
    let desired: Table = [web(), other].into_iter().collect();
    let script = Script::new();
    let mut engine = script.engine();
    let mut added = false;
    let is_ipv6 =
        |sent: &Raw| sent.payload.windows(4).any(|octets| octets == [0x20, 0x01, 0x0d, 0xb8]);
    script.serve(move |sent, _| match sent[0].command() {
        _ if sent.len() == 1 && is_ipv6(&sent[0]) => refused(Errno::AFNOSUPPORT)(sent),
        IPVS_CMD_GET_SERVICE if added => {
            reported(AnyReport::Service(ServiceEntry::new(web(), Stats::default())))(sent)
        }
        IPVS_CMD_GET_SERVICE => refused(Errno::SRCH)(sent),
        IPVS_CMD_GET_DEST => dumped(vec![vec![]])(sent),
        _ => {
            added = true;
            refused(Errno::AFNOSUPPORT)(sent)
        }
    });
    let options = PlanOptions::new();
    let reconciled =
        ready(reconcile(&mut engine, &desired, &options, &mut |_| ControlFlow::Continue(())));
    let reconciled = reconciled.unwrap();
    let [(_, first), (_, second)] =
        reconciled.rounds[0].steps().collect::<Vec<_>>().try_into().unwrap();
    assert!(first.is_done(), "{reconciled}");
    assert!(matches!(second, StepOutcome::Failed(_)), "{reconciled}");
    assert_eq!(reconciled.rest.len(), 1);
}
