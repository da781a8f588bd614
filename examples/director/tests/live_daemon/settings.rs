//! Timeouts and synchronization daemons.

use std::time::Duration;

use ipvs_netlink::{Client, Role, Timeouts};

use crate::daemon::{Daemon, wait_for};

#[test]
fn settings_are_applied_and_restored() {
    let mut client = Client::connect().unwrap();
    let udp = |client: &mut Client| client.timeouts().unwrap().udp;
    let seconds = Duration::from_secs;
    let text = |udp: u32, daemons: &str| {
        format!("timeouts: {{udp: {udp}s}}\nsynchronization: {daemons}\nresync: 1s\nservices: []\n")
    };
    let mut daemon = Daemon::new("");
    daemon.write_all(&text(77, "[{role: master, interface: lo, id: 5}]"));
    let before = client.timeouts().unwrap();
    daemon.start();
    wait_for("the timeout", || udp(&mut client) == Some(seconds(77)));
    wait_for("the synchronization daemon", || client.daemons().unwrap().len() == 1);
    assert_eq!(client.timeouts().unwrap().tcp, before.tcp);
    // Another program changes both.
    client.set_timeouts(Timeouts::default().udp(seconds(5))).unwrap();
    client.stop_daemon(Role::Master).unwrap();
    wait_for("the timeout again", || udp(&mut client) == Some(seconds(77)));
    wait_for("the synchronization daemon again", || client.daemons().unwrap().len() == 1);
    daemon.write_all(&text(78, "[]"));
    daemon.signal(rustix::process::Signal::HUP);
    wait_for("the new timeout", || udp(&mut client) == Some(seconds(78)));
    wait_for("the end of the synchronization daemon", || client.daemons().unwrap().is_empty());
    daemon.stop();
}
