//! What happens to a service, and when its route comes and goes.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use director::control::protocol::Order;
use ipvs_netlink::ServiceId;
use ipvs_netlink::health::MaintenanceKind;

use crate::clients::Clients;
use crate::daemon::{Daemon, hooks};
use crate::lab::{Lab, Server, VIP, server};
use crate::patience::wait_for;
use crate::routers::{self, Router};
use crate::watchers::{Watcher, routes, usable};

/// A file with these commands, which find the tools of the guest.
fn file(command: &[&str], has_service: bool) -> String {
    let path = std::env::var("PATH").unwrap();
    let command = format!("env, \"PATH={path}\", {}", command.join(", "));
    let service = format!(
        "
- tcp: {VIP}:80
  scheduler: rr
  forward: masquerade
  commands:
    available: [{command}]
    unavailable: [{command}]
    timeout: 3s
    retry: 200ms
  destinations:
  - {{address: \"{}\", weight: 1}}
  - {{address: \"{}\", weight: 1}}
",
        server(0),
        server(1)
    );
    let services = if has_service { service } else { " []\n".to_owned() };
    let pace = "{interval: 200ms, changing: 100ms, down: 200ms, fall: 2, rise: 2, damping: false}";
    format!(
        "drain: {{until: no-active, quiet: 1s, deadline: 5s}}\n\
         defaults:\n  pace: {pace}\n  checks: [{{tcp: {{}}, timeout: 500ms}}]\nservices:{services}"
    )
}

struct Story {
    servers: Vec<Option<Server>>,
    routes: Arc<Watcher<bool>>,
    table: Watcher<usize>,
    clients: Clients,
    daemon: Daemon,
    file: String,
    empty: String,
    _peer: Router,
    lab: Lab,
}

impl Story {
    fn begin(command: &[&str], lab: Lab) -> Self {
        let peer = routers::peer(&lab);
        let service: ServiceId = format!("TCP {VIP}:80").parse().unwrap();
        let (routes, table) = (Arc::new(routes(&lab)), usable(&lab, service));
        let clients = Clients::start(&lab, &routes);
        let (file, empty) = (file(command, true), file(command, false));
        let daemon = Daemon::start(&lab, &file, "keep");
        let (servers, _peer) = (vec![None, None], peer);
        Self { lab, servers, routes, table, clients, daemon, file, empty, _peer }
    }

    fn start(&mut self, n: u8) {
        self.servers[usize::from(n)] = Some(self.lab.serve(n));
    }

    fn die(&mut self, n: u8) {
        self.servers[usize::from(n)] = None;
    }

    /// Waits for the route, and for the announcement to be known.
    #[track_caller]
    fn comes(&self, since: Instant) -> Instant {
        let at = self.routes.wait("the route comes", since, |is_there| *is_there);
        wait_for("the status", || (self.daemon.announcement() == "announced").then_some(()));
        at
    }

    #[track_caller]
    fn goes(&self, since: Instant) -> Instant {
        self.routes.wait("the route goes", since, |is_there| !is_there)
    }

    fn maintain(&self, n: u8, begins: bool) {
        let destination = server(n).into();
        let order = match begins {
            true => Order::Maintain {
                service: None,
                destination,
                kind: MaintenanceKind::Drain,
                by: String::new(),
                lasts: None,
            },
            false => Order::EndMaintenance { service: None, destination },
        };
        let answer = self.daemon.order(&order);
        assert!(answer.contains("done"), "{answer}");
    }

    /// A live last destination leaves since `begin`: the route has gone before, and no client has
    /// noticed.
    #[track_caller]
    fn leaves_unnoticed(&self, what: &str, begin: Instant) {
        let gone = self.goes(begin);
        let left = self.table.wait("the destination leaves", begin, |usable| *usable == 0);
        let (count, failed) = self.clients.since(begin);
        println!(
            "{what}: route withdrawn after {:?}, destination out {:?} later, {} of {count} failed",
            gone - begin,
            left.saturating_duration_since(gone),
            failed.len()
        );
        assert!(gone < left, "{what}");
        assert!(count > 0 && failed.is_empty(), "{what}: {failed:?}");
    }
}

fn play(command: &[&str], lab: Lab) -> Story {
    let mut story = Story::begin(command, lab);

    // Nothing is announced before the first destination is in.
    thread::sleep(Duration::from_millis(500));
    assert_eq!(story.routes.now(), Some(false));
    let begin = Instant::now();
    story.start(0);
    let there = story.comes(begin);
    let served = story.table.wait("the destination is in", begin, |usable| *usable > 0);
    assert!(served < there, "announced before the destination was in");
    println!(
        "the first server comes: in the table after {:?}, the route {:?} later",
        served - begin,
        there - served
    );
    story.start(1);
    story.table.wait("both are in", begin, |usable| *usable == 2);

    // One of two dies: the route stays.
    let begin = Instant::now();
    story.die(0);
    story.table.wait("the dead one leaves", begin, |usable| *usable == 1);
    assert_eq!(story.routes.changes(begin), 0);

    // The last one leaves alive: the route goes first.
    let begin = Instant::now();
    story.maintain(1, true);
    story.leaves_unnoticed("drain of the last live destination", begin);
    let begin = Instant::now();
    story.maintain(1, false);
    story.comes(begin);

    // The service leaves the file: the route goes first.
    let begin = Instant::now();
    story.daemon.reload(&story.empty.clone());
    story.leaves_unnoticed("removal by a reload", begin);
    let begin = Instant::now();
    story.daemon.reload(&story.file.clone());
    story.comes(begin);

    // The last one dies: the route goes at once.
    let begin = Instant::now();
    story.die(1);
    let gone = story.goes(begin);
    let (count, failed) = story.clients.since(begin);
    println!(
        "the last server dies: route withdrawn after {:?}, {} of {count} failed until then",
        gone - begin,
        failed.len()
    );
    wait_for("the status", || (story.daemon.announcement() == "withdrawn").then_some(()));
    let begin = Instant::now();
    story.start(1);
    story.comes(begin);
    story
}

/// The daemon ends and starts again: the route stays.
fn restart(story: Story, on_stop: &str) -> Story {
    let begin = Instant::now();
    let Story { lab, servers, routes, table, clients, daemon, file, empty, _peer } = story;
    daemon.stop();
    let daemon = Daemon::start(&lab, &file, on_stop);
    wait_for("the status", || (daemon.announcement() == "announced").then_some(()));
    let (count, failed) = clients.since(begin);
    println!("restart of the daemon: {} of {count} failed", failed.len());
    assert_eq!(routes.changes(begin), 0, "the route stays");
    assert!(failed.is_empty(), "{failed:?}");
    Story { lab, servers, routes, table, clients, daemon, file, empty, _peer }
}

/// The daemon ends, the service leaves the file, and the daemon starts again.
fn lose(story: Story) {
    let begin = Instant::now();
    let Story { lab, servers, routes, table, clients, daemon, file, empty, _peer } = story;
    daemon.stop();
    let daemon = Daemon::start(&lab, &empty, "keep");
    let story = Story { lab, servers, routes, table, clients, daemon, file, empty, _peer };
    story.leaves_unnoticed("removal while the daemon does not run", begin);
}

/// The daemon ends and withdraws all.
fn withdraw(story: Story) {
    let begin = Instant::now();
    let Story { lab, servers, routes, table, clients, daemon, _peer, .. } = story;
    daemon.stop();
    let gone = routes.wait("the route goes", begin, |is_there| !is_there);
    let left = table.wait("the service leaves", begin, |usable| *usable == 0);
    let (count, failed) = clients.since(begin);
    println!("a stop that withdraws: {} of {count} failed", failed.len());
    assert!(gone < left && failed.is_empty(), "{failed:?}");
    drop((lab, servers));
}

#[test]
fn bird_announces_the_address_of_a_dummy_interface() {
    let lab = Lab::build();
    let speaker = routers::speaker(&lab);
    let hook = hooks().join("dummy-address");
    let story = play(&[hook.to_str().unwrap(), "vip0"], lab);
    lose(restart(story, "keep"));
    drop(speaker);
}

#[test]
#[ignore = "needs python3 with pip on the host, and takes 80 s"]
fn exabgp_announces_what_the_folder_names() {
    let lab = Lab::build();
    let speaker = routers::exabgp(&lab);
    let hook = hooks().join("exabgp-route");
    let folder = lab.folder.join("routes");
    let command = [hook.to_str().unwrap(), folder.to_str().unwrap()].map(str::to_owned);
    let mut story = play(&[&command[0], &command[1]], lab);

    // ExaBGP dies: the route is gone, and comes again with it.
    let begin = Instant::now();
    drop(speaker);
    story.goes(begin);
    let begin = Instant::now();
    let speaker = routers::exabgp(&story.lab);
    let there = story.comes(begin);
    println!("ExaBGP starts again: the route is there after {:?}", there - begin);

    // The last server dies while ExaBGP does not run: nothing is left to be withdrawn, and nothing
    // is announced when it comes.
    let begin = Instant::now();
    drop(speaker);
    story.goes(begin);
    story.die(1);
    wait_for("the status", || (story.daemon.announcement() == "withdrawn").then_some(()));
    // And a server comes while it does not run: that is told, and tried again.
    story.start(1);
    wait_for("the failure", || {
        story.daemon.announcement().contains("does ExaBGP run?").then_some(())
    });
    let begin = Instant::now();
    let speaker = routers::exabgp(&story.lab);
    story.comes(begin);
    withdraw(restart(story, "withdraw"));
    drop(speaker);
}
