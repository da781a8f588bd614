//! Timeouts and synchronization daemons.

use std::time::Duration;

use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{Client, Role, Setting, Timeouts};

use crate::daemon::{Daemon, wait_for};

#[test]
fn settings_are_applied_and_restored() {
    let mut client = Client::connect().unwrap();
    let udp = |client: &mut Client| client.timeouts().unwrap().udp;
    let seconds = Duration::from_secs;
    let text = |udp: u32, daemons: &str| {
        format!(
            "write_settings: true\ntimeouts: {{udp: {udp}s}}\nsynchronization: {daemons}\nresync: 1s\nservices: []\n"
        )
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

#[test]
fn what_the_file_declares_is_written_only_by_option() {
    let mut client = Client::connect().unwrap();
    let files = Procfs::open().unwrap();
    files.set_setting(Setting::SYNC_RETRIES, 0).unwrap();
    client.set_timeouts(Timeouts::default().udp(Duration::from_secs(300))).unwrap();
    let declared = "timeouts: {udp: 79s}\nsettings: {sync_retries: 3}\nresync: 1s\nservices: []\n";
    let mut daemon = Daemon::new("");
    daemon.write_all(declared);
    daemon.start();
    let retries = || files.setting(Setting::SYNC_RETRIES).unwrap().unwrap();
    wait_for("the difference", || {
        daemon.log().contains("setting sync_retries 0 -> 3, not written")
    });
    // Another look tells it no more, and writes nothing.
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(daemon.log().matches("timeout udp 300 s -> 79 s, not written").count(), 1);
    assert_eq!(retries(), 0.into());
    assert_eq!(client.timeouts().unwrap().udp, Some(Duration::from_secs(300)));
    daemon.write_all(&format!("write_settings: true\n{declared}"));
    daemon.signal(rustix::process::Signal::HUP);
    wait_for("the setting", || retries() == 3.into());
    wait_for("the timeout", || client.timeouts().unwrap().udp == Some(Duration::from_secs(79)));
    daemon.stop();
    files.set_setting(Setting::SYNC_RETRIES, 0).unwrap();
}
