//! Timeouts and settings that a file declares.

use std::fs;
use std::time::Duration;

use ipvs_netlink::procfs::Procfs;
use ipvs_netlink::{Setting, Timeouts};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

use super::{Folder, WEB, run};
use crate::namespace::fresh;

const DECLARED: &str = "
timeouts: {tcp: 10m}
settings: {conntrack: true, sync_threshold: [3, 0]}
";

fn differences(end: &str) -> String {
    format!(
        "~ timeout tcp 900 s -> 600 s{end}\n~ setting conntrack 0 -> 1{end}\n~ setting sync_threshold \
         3 50 -> 3 0{end}\n"
    )
}

#[test]
fn they_are_shown_and_written_only_by_option() {
    let mut ipvs = fresh();
    let files = Procfs::open().unwrap();
    let folder = Folder::new("settings");
    let web = folder.write("web.yaml", format!("{DECLARED}{WEB}"));
    let before = (ipvs.timeouts().unwrap(), files.settings().unwrap());
    let shown = differences(", not written");
    let (code, plan, _) = run(&["plan"], &web);
    assert_eq!(code, 3);
    assert!(plan.starts_with(&format!("{shown}+ TCP 192.0.2.10:80")), "{plan}");
    assert_eq!(run(&["apply", "-y"], &web).0, 3);
    assert_eq!((ipvs.timeouts().unwrap(), files.settings().unwrap()), before);

    // The differences alone are no change, unless they are to be written.
    let (code, plan, _) = run(&["plan"], &web);
    assert_eq!((code, plan), (0, shown));
    let (code, plan, _) = run(&["plan", "--settings"], &web);
    assert_eq!((code, plan), (3, differences("")));
    let (code, commands, _) = run(&["plan", "--settings", "--commands"], &web);
    let expected = "sysctl -w 'net.ipv4.vs.conntrack=1'\nsysctl -w 'net.ipv4.vs.sync_threshold=3 0'\n\
                    ipvsadm --set 600 0 0\n";
    assert_eq!((code, commands.as_str()), (3, expected));
    let (code, _, errors) = run(&["apply", "-y", "--settings"], &web);
    assert_eq!(code, 3, "{errors}");
    let seconds = Duration::from_secs;
    let timeouts = Timeouts::default().tcp(seconds(600)).tcp_fin(seconds(120)).udp(seconds(300));
    assert_eq!(ipvs.timeouts().unwrap(), timeouts);
    assert_eq!(files.setting(Setting::CONNTRACK), Ok(Some(1.into())));
    assert_eq!(files.setting(Setting::SYNC_THRESHOLD), Ok(Some((3, 0).into())));
    let (code, plan, _) = run(&["apply", "-y", "--settings"], &web);
    assert_eq!((code, plan.as_str()), (0, "no changes\n"));
}

#[test]
fn what_cannot_be_written_stops_everything() {
    let mut ipvs = fresh();
    let folder = Folder::new("absent");
    let declared =
        format!("settings: {{conntrack: 1, tomorrow: 5}}\ntimeouts: {{tcp: 10m}}\n{WEB}");
    let web = folder.write("web.yaml", declared);
    let (code, plan, _) = run(&["plan"], &web);
    assert_eq!(code, 3);
    assert!(plan.contains("~ setting tomorrow absent -> 5, not written\n"), "{plan}");
    let (code, _, errors) = run(&["apply", "-y", "--settings"], &web);
    assert_eq!(code, 1, "{errors}");
    let text = "setting tomorrow: this kernel has no such setting; the table stays as it is";
    assert!(errors.contains(text), "{errors}");
    assert!(ipvs.services().unwrap().is_empty());
    assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/vs/conntrack").unwrap(), "0\n");
    // The declaration does not matter unless it is to be written.
    assert_eq!(run(&["apply", "-y"], &web).0, 3);
    let bad = folder.write("bad.yaml", format!("settings: {{sync_ports: 3}}\n{WEB}"));
    let (code, _, errors) = run(&["apply", "-y", "--settings"], &bad);
    assert_eq!(code, 5, "{errors}");
    let text = "line 1, column 24: setting sync_ports 3: must be a power of two, 1 to 64";
    assert!(errors.contains(text), "{errors}");
}

#[test]
fn what_was_written_before_a_failure_is_told() {
    let mut ipvs = fresh();
    // Another file in place of the setting: the kernel takes powers of two there, and refuses 3.
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    let [ports, retries] =
        ["sync_ports", "sync_retries"].map(|name| format!("/proc/sys/net/ipv4/vs/{name}"));
    mount(Some(ports.as_str()), retries.as_str(), none, MsFlags::MS_BIND, none).unwrap();
    let folder = Folder::new("partial");
    let declared = "settings: {conntrack: 1, sync_retries: 3}\ntimeouts: {tcp: 10m}\n";
    let web = folder.write("web.yaml", format!("{declared}{WEB}"));
    let (code, _, errors) = run(&["apply", "-y", "--settings"], &web);
    let told = "setting sync_retries 3: the kernel refuses the value: Invalid argument (os error 22); \
                the table stays as it is\n\
                written: setting conntrack 0 -> 1\n\
                not written: timeout tcp 900 s -> 600 s\n\
                not written: setting sync_retries 1 -> 3\n";
    assert!(code == 4 && errors.contains(told), "{code} {errors}");
    assert_eq!(fs::read_to_string("/proc/sys/net/ipv4/vs/conntrack").unwrap(), "1\n");
    assert_eq!(ipvs.timeouts().unwrap().tcp, Some(Duration::from_secs(900)));
    assert!(ipvs.services().unwrap().is_empty());
}

#[test]
fn json_has_them_where_they_differ() {
    fresh();
    let folder = Folder::new("json");
    let web = folder.write("web.yaml", "settings: {conntrack: 1}\nservices: []\n");
    let (code, json, _) = run(&["apply", "-y", "--settings", "--json"], &web);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(code, 3);
    let change = &json["settings"]["changes"][0];
    assert_eq!((&change["name"], &change["before"]), (&"setting conntrack".into(), &"0".into()));
    assert_eq!(json["settings"]["written"], true);
    let (_, json, _) = run(&["plan", "--json"], &folder.write("none.yaml", "services: []\n"));
    assert_eq!(json, "{\n  \"steps\": []\n}\n");
}
