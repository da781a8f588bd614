//! Tests the text of plans and outcomes.

use std::time::Duration;

use super::planning::{everything, server, there, wanted, web};
use crate::model::{
    Connections, DestinationEntry, Forwarding, Scheduler, Service, ServiceEntry, ServiceFlags,
    ServiceSnapshot, Stats, Tunnel,
};
use crate::table::{Applied, Plan, Reconciled, Round, StepOutcome, Table, TableService};

#[test]
fn differences_are_listed_by_service() {
    let current = there(web(), &[server(1), server(2).weight(5).thresholds(10, 5), server(3)]);
    let hashed = web()
        .scheduler(Scheduler::SOURCE_HASHING)
        .flags(ServiceFlags::SH_FALLBACK)
        .persistent(Duration::from_secs(300));
    let mut desired = wanted(
        hashed,
        &[
            server(2).weight(1),
            server(3).forwarding(Forwarding::Tunnel(Tunnel::Gre { checksum: true })),
            server(4),
        ],
    );
    let dns = Service::udp("192.0.2.10:53".parse().unwrap()).one_packet();
    desired.insert(TableService::new(dns).with(server(9).weight(0).thresholds(7, 0)));
    let plan = Plan::new(&current, &desired, &everything()).unwrap();
    assert_eq!(
        plan.to_string(),
        "\
~ TCP 192.0.2.10:80 scheduler rr -> sh, flags none -> sh-fallback, not persistent -> persistent 300 (disruptive: refuses new connections for a moment)
-   10.0.0.1:8080 Masq weight 1, drains up to 30 s
~   10.0.0.2:8080 weight 5 -> 1, thresholds 10/5 -> 0/0
~   10.0.0.3:8080 Masq -> Tunnel gre csum
+   10.0.0.4:8080 Masq weight 1
+ UDP 192.0.2.10:53 wlc flags ops
+   10.0.0.9:8080 Masq weight 0 thresholds 7/0
"
    );
}

#[test]
fn a_service_that_leaves_says_what_it_had() {
    let gone = Plan::new(&there(web(), &[server(1)]), &Table::new(), &everything()).unwrap();
    assert_eq!(gone.to_string(), "- TCP 192.0.2.10:80 rr, destinations 1, drains up to 30 s\n");
    let at_once = everything().drain(None);
    let gone = Plan::new(&there(web(), &[server(1)]), &Table::new(), &at_once).unwrap();
    assert_eq!(gone.to_string(), "- TCP 192.0.2.10:80 rr, destinations 1 (disruptive: at once)\n");
}

#[test]
fn clients_that_may_come_back_to_what_drains_are_told() {
    let connections = Connections { active: 2, inactive: 1, persistent: 4 };
    let entries = [(server(1), connections), (server(2), Connections::default())];
    let entries = entries.map(|(destination, connections)| {
        DestinationEntry::new(destination, connections, Stats::default())
    });
    let service = web().persistent(Duration::from_secs(300));
    let entry = ServiceEntry::new(service.clone(), Stats::default());
    let current = [ServiceSnapshot::new(entry, entries.to_vec())].into_iter().collect();
    let plan = Plan::new(&current, &wanted(service, &[server(2)]), &everything()).unwrap();
    assert_eq!(
        plan.to_string(),
        "  TCP 192.0.2.10:80
-   10.0.0.1:8080 Masq weight 1, drains up to 30 s, active 2 inactive 1 persistent 4 (persistent clients may come back)
"
    );
}

#[test]
fn outcomes_are_counted() {
    let applied = |outcomes: &[StepOutcome]| Applied::new(outcomes.to_vec(), None);
    assert_eq!(applied(&[]).to_string(), "nothing to do");
    let (done, skipped) = (StepOutcome::Done, StepOutcome::Skipped { because: 1 });
    let some = applied(&[done.clone(), StepOutcome::Kept, skipped.clone(), done, skipped]);
    assert_eq!(some.to_string(), "2 done, 1 kept, 2 skipped");

    let rest = Plan::new(&there(web(), &[server(1)]), &Table::new(), &everything()).unwrap();
    let reconciled = Reconciled::new([Round::new(rest.clone(), some)], rest);
    assert_eq!(
        reconciled.to_string(),
        "2 done, 1 kept, 2 skipped\n\
         differs still:\n- TCP 192.0.2.10:80 rr, destinations 1, drains up to 30 s\n"
    );
    let equal = Reconciled { rounds: Vec::new(), rest: Plan::default(), ..reconciled };
    assert_eq!(equal.to_string(), "nothing differed\n");
}

#[test]
fn a_dry_run_is_a_script() {
    let current = there(web(), &[server(1), server(2)]);
    let plan = Plan::new(&current, &wanted(web(), &[server(2), server(3)]), &everything()).unwrap();
    assert_eq!(
        plan.commands().to_string(),
        "\
ipvsadm -a -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 1
ipvsadm -e -t 192.0.2.10:80 -r 10.0.0.1:8080 -m -w 0
# now wait until what has weight 0 has no connections that carry data, 30 s at most
ipvsadm -d -t 192.0.2.10:80 -r 10.0.0.1:8080
"
    );
    let nothing = Plan::new(&current, &Table::from(&current), &everything()).unwrap();
    assert_eq!(nothing.to_string(), "no changes\n");
    assert_eq!(nothing.commands().to_string(), "");
}
