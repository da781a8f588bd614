//! What the kernel keeps of a client decides before the scheduler does.

use std::time::Duration;

use super::{ask, defaults, entry, rows, server, view, web};
use crate::explain::{Answer, Missing, Note, Passed, Reason, View, Why};
use crate::model::{
    Change, Persistence, PersistenceEngine, Scheduler, Service, ServiceEntry, ServiceSnapshot,
    Setting, Settings, Stats,
};
use crate::procfs::ConnectionState;

#[test]
fn a_template_decides_unless_its_destination_is_gone() {
    let persistent = Persistence::new(Duration::from_secs(300)).netmask([255, 255, 255, 0].into());
    let service = web(Scheduler::ROUND_ROBIN).persistence(persistent);
    let rows = rows(&[
        "TCP C6336400 0000 C000020A 0050 0A000003 0050 ASSURED         299",
        "TCP C6336500 0000 C000020A 0050 0A000002 0050 NONE            100",
        "UDP C6336400 0000 C000020A 0050 0A000002 0050 NONE            100",
    ]);
    let attempt = ask("198.51.100.7", &service);
    let all = view(&service, [2, 3, 4]);
    assert_eq!(
        rows.iter().map(|row| all.concerns(&attempt, row)).collect::<Vec<_>>(),
        [true, false, false]
    );
    let all = all.connections(rows);
    let told = all.explain(&attempt);
    assert_eq!(told.destination(), Some(server(3).id));
    assert!(
        told.to_string().contains("template of persistence for 198.51.100.0 (299 s left)"),
        "{told}"
    );
    let drained = all.after(&Change::UpdateDestination(service.id, server(3).weight(0)));
    assert_eq!(drained.explain(&attempt).notes, [Note::Draining(server(3).id)]);
    let told = drained
        .settings(&defaults().with(Setting::EXPIRE_QUIESCENT_TEMPLATE, true))
        .explain(&attempt);
    assert_eq!(told.possible(), [server(2).id, server(4).id]);
    let told = all.after(&Change::DeleteDestination(service.id, server(3).id)).explain(&attempt);
    assert_eq!(told.possible(), [server(2).id, server(4).id]);
    assert_eq!(told.notes, [Note::Passed { id: server(3).id, why: Passed::Deleted }]);
}

#[test]
fn an_engine_looks_by_the_session() {
    let sip = Persistence::new(Duration::from_secs(60)).engine(PersistenceEngine::SIP);
    let service = Service::udp("192.0.2.10:5060".parse().unwrap()).persistence(sip);
    let service = service.scheduler(Scheduler::SOURCE_HASHING);
    let rows =
        rows(&["UDP 7F000001 0000 C000020A 13C4 0A000003 0050 NONE             59 sip 1@host"]);
    let all = view(&service, [2, 3, 4]);
    let attempt = ask("198.51.100.7", &service);
    assert!(all.explain(&attempt).destination().is_some());
    let told = all.connections(rows).explain(&attempt);
    let Answer::Undetermined { missing, possible, .. } = &told.answer else { panic!("{told}") };
    assert!(missing.contains(&Missing::Session) && possible.contains(&server(3).id), "{told}");
}

#[test]
fn a_connection_of_the_port_decides() {
    let service = web(Scheduler::ROUND_ROBIN);
    let rows = rows(&["TCP C6336407 0FA0 C000020A 0050 0A000003 0050 ESTABLISHED     899"]);
    let attempt = ask("198.51.100.7", &service).client_port(4000);
    let all = view(&service, [2, 3]).connections(rows);
    assert_eq!(all.explain(&attempt).destination(), Some(server(3).id));
    assert_eq!(all.explain(&attempt.client_port(4001)).destination(), None);
    let gone = all.after(&Change::DeleteDestination(service.id, server(3).id));
    let told = gone.explain(&attempt);
    assert!(matches!(told.answer, Answer::Nowhere(Reason::DestinationGone { .. })), "{told}");
    assert_eq!(
        gone.settings(&defaults().with(Setting::EXPIRE_NODEST_CONN, true))
            .explain(&attempt)
            .destination(),
        Some(server(2).id)
    );
}

/// A service with the destinations 2 and 3, and a connection of port 4000 to destination 3.
fn with_row(state: &str) -> View {
    let service = web(Scheduler::ROUND_ROBIN);
    let row = format!("TCP C6336407 0FA0 C000020A 0050 0A000003 0050 {state:<11} 59");
    view(&service, [2, 3]).connections(rows(&[&row]))
}

fn without_3(view: &View) -> View {
    view.after(&Change::DeleteDestination(view.service().unwrap().id, server(3).id))
}

fn answer(view: &View) -> Answer {
    let attempt = ask("198.51.100.7", &web(Scheduler::ROUND_ROBIN)).client_port(4000);
    view.explain(&attempt).answer
}

#[test]
fn an_ended_connection_is_scheduled_again_though_its_destination_was_deleted() {
    for state in ["TIME_WAIT", "CLOSE"] {
        let gone = without_3(&with_row(state));
        let told =
            gone.explain(&ask("198.51.100.7", &web(Scheduler::ROUND_ROBIN)).client_port(4000));
        assert_eq!(told.destination(), Some(server(2).id), "{told}");
        assert_eq!(told.notes, [Note::Passed { id: server(3).id, why: Passed::Ended }]);
        let never = gone.settings(&defaults().with(Setting::CONN_REUSE_MODE, 0));
        let is_gone = matches!(answer(&never), Answer::Nowhere(Reason::DestinationGone { .. }));
        assert!(is_gone, "{:?}", answer(&never));
    }
}

#[test]
fn the_forwarding_of_a_deleted_destination_can_matter() {
    let gone = without_3(&with_row("FIN_WAIT"));
    assert!(matches!(answer(&gone), Answer::Nowhere(Reason::DestinationGone { .. })));
    let half_closed = gone.settings(&defaults().with(Setting::CONN_REUSE_MODE, 3));
    let expected = Answer::Undetermined {
        possible: vec![server(2).id],
        refusal: true,
        missing: vec![Missing::FormerForwarding(server(3).id)],
    };
    assert_eq!(answer(&half_closed), expected);
}

#[test]
fn a_quiesced_destination_loses_connections_also_of_persistent_clients() {
    let service = web(Scheduler::ROUND_ROBIN).persistent(Duration::from_secs(300));
    let kept = rows(&[
        "TCP C6336407 0FA0 C000020A 0050 0A000003 0050 ESTABLISHED     899",
        "TCP C6336407 0000 C000020A 0050 0A000003 0050 ASSURED         299",
    ]);
    let all = view(&service, [2, 3]).connections(kept);
    let drained = all.after(&Change::UpdateDestination(service.id, server(3).weight(0)));
    let attempt = ask("198.51.100.7", &service).client_port(4000);
    let by = |settings: Settings| drained.clone().settings(&settings).explain(&attempt);
    let told = by(defaults());
    assert!(matches!(told.answer, Answer::Destination { why: Why::Connection { .. }, .. }));
    let nodest = defaults().with(Setting::EXPIRE_NODEST_CONN, true);
    let told = by(nodest.clone());
    assert!(matches!(told.answer, Answer::Destination { why: Why::Template { .. }, .. }), "{told}");
    assert_eq!(told.destination(), Some(server(3).id));
    let told = by(nodest.with(Setting::EXPIRE_QUIESCENT_TEMPLATE, true));
    assert_eq!(told.destination(), Some(server(2).id), "{told}");
    let why = [Passed::QuiescedConnection, Passed::QuiescedTemplate];
    assert_eq!(told.notes, why.map(|why| Note::Passed { id: server(3).id, why }));
}

#[test]
fn an_ended_connection_of_a_persistent_client_stays() {
    let service = web(Scheduler::ROUND_ROBIN).persistent(Duration::from_secs(300));
    let persistent = with_row("TIME_WAIT").after(&Change::UpdateService(service));
    // Without a template, the service can have become persistent later.
    let Answer::Undetermined { possible, missing, refusal: false } = answer(&persistent) else {
        panic!("{:?}", answer(&persistent));
    };
    assert_eq!(possible, [server(3).id, server(2).id]);
    assert_eq!(missing, [Missing::FormerPersistence(server(3).id)]);
    let persistent = persistent.connections(rows(&[
        "TCP C6336407 0FA0 C000020A 0050 0A000003 0050 TIME_WAIT        59",
        "TCP C6336407 0000 C000020A 0050 0A000003 0050 ASSURED         299",
    ]));
    let Answer::Destination { why: Why::Connection { state, .. }, .. } = answer(&persistent) else {
        panic!("{:?}", answer(&persistent));
    };
    assert_eq!(state, ConnectionState::TIME_WAIT);
}

#[test]
fn another_service_can_have_made_the_connection() {
    let at_port_0 = |weight| {
        let service = Service::tcp("192.0.2.10:0".parse().unwrap());
        let destination = entry(server(3).weight(weight), 0, 0);
        ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), vec![destination])
    };
    let elsewhere = {
        let service = Service::tcp("192.0.2.11:80".parse().unwrap());
        let destination = entry(server(3), 0, 0);
        ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), vec![destination])
    };
    let attempt = ask("198.51.100.7", &web(Scheduler::ROUND_ROBIN)).client_port(4000);
    let either = |missing| Answer::Undetermined {
        possible: vec![server(3).id],
        refusal: true,
        missing: vec![missing],
    };
    let all = with_row("ESTABLISHED");
    assert!(!all.needs_other_services(&attempt));
    let gone = without_3(&all);
    assert!(gone.needs_other_services(&attempt));
    assert!(matches!(answer(&gone), Answer::Nowhere(Reason::DestinationGone { .. })));
    let gone = gone.other_services([&elsewhere]);
    assert!(matches!(answer(&gone), Answer::Nowhere(Reason::DestinationGone { .. })));
    let with_other = gone.clone().other_services([&at_port_0(1)]);
    assert_eq!(answer(&with_other), either(Missing::FormerService(server(3).id)));
    // Whichever of the two has made the ended connection, its port can be used again.
    let ended = without_3(&with_row("CLOSE")).other_services([&at_port_0(1)]);
    assert!(matches!(answer(&ended), Answer::Destination { id, .. } if id == server(2).id));
    // Unless a template controls the connection.
    let mut persistent = at_port_0(1);
    persistent.destinations.clear();
    persistent.entry.service = persistent.entry.service.persistent(Duration::from_secs(60));
    let Answer::Undetermined { possible, refusal: true, missing } =
        answer(&ended.other_services([&persistent]))
    else {
        panic!("an ended connection, perhaps of a persistent service");
    };
    assert_eq!(possible, [server(2).id]);
    assert_eq!(missing, [Missing::FormerService(server(3).id)]);
}

#[test]
fn other_services_that_nobody_has_read_are_unknown() {
    let service = web(Scheduler::ROUND_ROBIN);
    let row = "TCP C6336407 0FA0 C000020A 0050 0A000003 0050 ESTABLISHED 59";
    let unread = View::new(&service, vec![entry(server(2), 0, 0)])
        .connections(rows(&[row]))
        .settings(&defaults());
    let Answer::Undetermined { possible, refusal: true, missing } = answer(&unread) else {
        panic!("{:?}", answer(&unread));
    };
    assert_eq!(possible, [server(3).id]);
    assert_eq!(missing, [Missing::FormerService(server(3).id)]);
}

#[test]
fn connections_that_nobody_has_read_can_decide() {
    let service = web(Scheduler::WEIGHTED_FAILOVER);
    let entries = || vec![entry(server(2).weight(5), 0, 0), entry(server(3).weight(0), 0, 0)];
    let unread = View::new(&service, entries());
    let attempt = ask("198.51.100.7", &service);
    assert_eq!(unread.explain(&attempt).destination(), Some(server(2).id));
    let told = unread.explain(&attempt.client_port(4000));
    let missing = vec![Missing::Connections];
    let possible = vec![server(2).id, server(3).id];
    let any = |refusal| Answer::Undetermined {
        possible: possible.clone(),
        refusal,
        missing: missing.clone(),
    };
    assert_eq!(told.answer, any(true));
    let persistent = service.clone().persistent(Duration::from_secs(60));
    assert_eq!(View::new(&persistent, entries()).explain(&attempt).answer, any(false));
    let read = View::new(&persistent, entries()).connections(Vec::new());
    assert_eq!(read.explain(&attempt.client_port(4000)).destination(), Some(server(2).id));
    // A connection that was found decides, whatever else there is.
    let row = "TCP C6336407 0FA0 C000020A 0050 0A000003 0050 ESTABLISHED 59";
    let some = View::new(&service, entries()).some_connections(rows(&[row])).settings(&defaults());
    assert_eq!(some.explain(&attempt.client_port(4000)).destination(), Some(server(3).id));
    assert_eq!(some.explain(&attempt.client_port(4001)).answer, any(true));
}

#[test]
fn settings_that_nobody_has_read_can_decide() {
    let unknown = with_row("ESTABLISHED").settings(&Settings::new());
    assert!(matches!(answer(&unknown), Answer::Destination { id, .. } if id == server(3).id));
    let unknown = with_row("CLOSE").settings(&Settings::new());
    let expected = |setting, id| Answer::Undetermined {
        possible: vec![server(3).id, id],
        refusal: false,
        missing: vec![Missing::Setting(setting)],
    };
    let Answer::Undetermined { missing, .. } = answer(&unknown) else {
        panic!("{:?}", answer(&unknown));
    };
    assert_eq!(missing, [Missing::Setting(Setting::CONN_REUSE_MODE)]);
    let service = web(Scheduler::ROUND_ROBIN).id;
    let drained = with_row("ESTABLISHED").settings(&Settings::new());
    let drained = drained.after(&Change::UpdateDestination(service, server(3).weight(0)));
    assert_eq!(answer(&drained), expected(Setting::EXPIRE_NODEST_CONN, server(2).id));
    // What holds with some settings only is no note.
    let attempt = ask("198.51.100.7", &web(Scheduler::ROUND_ROBIN)).client_port(4000);
    assert_eq!(drained.explain(&attempt).notes, []);
}

/// UDP has no packet that begins a connection, so what is kept decides.
#[test]
fn a_connection_of_udp_stays() {
    let service = Service::udp("192.0.2.10:53".parse().unwrap());
    let kept = rows(&["UDP C6336407 0FA0 C000020A 0035 0A000003 0050 UDP         299"]);
    let all = view(&service, [2, 3]).connections(kept);
    let nodest = defaults().with(Setting::EXPIRE_NODEST_CONN, true);
    let all = all.settings(&nodest);
    let attempt = ask("198.51.100.7", &service).client_port(4000);
    let drained = all.after(&Change::UpdateDestination(service.id, server(3).weight(0)));
    assert_eq!(drained.explain(&attempt).destination(), Some(server(3).id));
    let told = without_3(&all).explain(&attempt);
    assert_eq!(told.notes, [Note::Passed { id: server(3).id, why: Passed::Deleted }]);
}
