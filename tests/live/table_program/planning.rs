//! Options that choose what is planned, and where.

use std::fs::File;
use std::os::fd::AsRawFd;

use ipvs_netlink::DestinationId;

use super::{Folder, LESS, WEB, run, table, there};
use crate::namespace::{fresh, ipvsadm};
use crate::places::{LOCAL, with_names};

const WEB_ID: &str = "TCP 192.0.2.10:80";

#[test]
fn weights_that_the_file_leaves_open_are_kept_if_wanted() {
    let mut ipvs = fresh();
    let folder = Folder::new("weights");
    let web = folder.write("web.yaml", WEB);
    assert_eq!(run(&["apply", "-y"], &web).0, 3);
    for server in ["10.0.0.2:8080", "10.0.0.3:8080"] {
        let server: DestinationId = server.parse().unwrap();
        ipvs.set_weight(WEB_ID.parse().unwrap(), server, 0).unwrap();
    }
    let (code, plan, _) = run(&["plan"], &web);
    let both =
        "  TCP 192.0.2.10:80\n~   10.0.0.2:8080 weight 0 -> 3\n~   10.0.0.3:8080 weight 0 -> 1\n";
    assert_eq!((code, plan.as_str()), (3, both));
    let (code, plan, _) = run(&["plan", "--keep-weights"], &web);
    let given = "  TCP 192.0.2.10:80\n~   10.0.0.2:8080 weight 0 -> 3\n";
    assert_eq!((code, plan.as_str()), (3, given));
}

#[test]
fn what_goes_away_drains_as_it_is_told() {
    fresh();
    let folder = Folder::new("drains");
    assert_eq!(run(&["apply", "-y"], &folder.write("web.yaml", WEB)).0, 3);
    let less = folder.write("less.yaml", LESS);
    let stop = "ipvsadm -e -t 192.0.2.10:80 -r 10.0.0.3:8080 -m -w 0\n";
    let delete = "ipvsadm -d -t 192.0.2.10:80 -r 10.0.0.3:8080\n";
    for (options, condition) in [
        (&[][..], "no connections that carry data, 30 s at most"),
        (
            &["--drain-until", "active", "--drain-deadline", "1500ms"],
            "no active connections, 1.5 s at most",
        ),
        (
            &["--drain-until", "connections", "--drain-deadline", "2m"],
            "no connections, 120 s at most",
        ),
        (
            &["--drain-until", "clients", "--drain-deadline", "forever"],
            "no connections and no persistent clients",
        ),
    ] {
        let (_, commands, _) = run(&[&["plan", "--commands"], options].concat(), &less);
        let wait = format!("# now wait until what has weight 0 has {condition}\n");
        assert_eq!(commands, format!("{stop}{wait}{delete}"));
    }
    let (_, commands, _) = run(&["plan", "--commands", "--no-drain"], &less);
    assert_eq!(commands, delete);
}

#[test]
fn names_are_looked_up_if_wanted() {
    with_names(LOCAL);
    fresh();
    let folder = Folder::new("names");
    let local = folder.write("local.ipvsadm", "-A -t localhost:80 -s rr\n");
    let (code, _, errors) = run(&["plan"], &local);
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("\"localhost\" (names are not looked up)"), "{errors}");
    let (code, plan, _) = run(&["plan", "--names"], &local);
    assert_eq!((code, plan.as_str()), (3, "+ TCP 127.0.0.1:80 rr\n"));
    for (name, text) in [
        ("local.yaml", "services: [{tcp: \"localhost:80\", scheduler: rr}]"),
        ("local.toml", "[[services]]\ntcp = \"localhost:80\"\nscheduler = \"rr\"\n"),
        ("local.json", r#"{"services": [{"tcp": "localhost:80", "scheduler": "rr"}]}"#),
    ] {
        let local = folder.write(name, text);
        let (code, _, errors) = run(&["plan"], &local);
        assert_eq!(code, 5, "{errors}");
        assert!(errors.contains("not looked up here; --names looks them up"), "{errors}");
        let (code, plan, errors) = run(&["plan", "--names"], &local);
        assert_eq!((code, plan.as_str()), (3, "+ TCP 127.0.0.1:80 rr\n"), "{errors}");
    }
}

#[test]
fn a_former_file_is_read_as_the_new_one_where_its_name_does_not_tell() {
    with_names(LOCAL);
    let mut ipvs = fresh();
    let folder = Folder::new("former");
    // As distributions keep them: no extension that tells, and names of hosts and ports.
    let old = "-A -t localhost:80 -s rr\n-A -t localhost:81 -s rr\n";
    let now = folder.write("ipvsadm", "-A -t localhost:80 -s rr\n");
    for name in ["ipvsadm.old", "old.ipvsadm"] {
        ipvs.flush().unwrap();
        ipvsadm("-A -t 127.0.0.1:80 -s rr");
        ipvsadm("-A -t 127.0.0.1:81 -s rr");
        let former = folder.write(name, old);
        let former = ["--formerly", former.to_str().unwrap()];
        let options = ["plan", "--format", "ipvsadm", "--names", former[0], former[1]];
        let (code, planned, errors) = run(&options, &now);
        assert_eq!(code, 3, "{errors}");
        assert!(planned.starts_with("- TCP 127.0.0.1:81 rr"), "{planned}");
        assert_eq!(planned.lines().count(), 1, "{planned}");
    }
    // A name that tells is believed.
    let former = folder.write("old.ipvsadm", "-A -t 127.0.0.1:81 -s rr\n");
    let former = ["--formerly", former.to_str().unwrap()];
    let yaml = folder.write("now", "services: [{tcp: \"127.0.0.1:80\", scheduler: rr}]");
    let (code, planned, errors) = run(&["plan", "--format", "yaml", former[0], former[1]], &yaml);
    assert_eq!(code, 3, "{errors}");
    assert!(planned.starts_with("- TCP 127.0.0.1:81 rr"), "{planned}");
}

#[test]
fn another_namespace_is_worked_on() {
    let mut there_ipvs = fresh();
    let namespace = File::open("/proc/thread-self/ns/net").unwrap();
    let mut here_ipvs = fresh();
    let folder = Folder::new("netns");
    let web = folder.write("web.yaml", WEB);
    let path = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_raw_fd());
    let (code, _, errors) = run(&["apply", "-y", "--netns", &path], &web);
    assert_eq!(code, 3, "{errors}");
    assert!(there(&mut here_ipvs).is_empty());
    assert_eq!(there(&mut there_ipvs).len(), 1);
    assert_eq!(run(&["plan", "--netns", &path], &web).0, 0);
    assert_eq!(run(&["plan"], &web).0, 3);
    let (code, _, errors) = run(&["plan", "--netns", "nosuch"], &web);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("\"/run/netns/nosuch\": "), "{errors}");
    assert!(errors.contains("no such network namespace"), "{errors}");
}

#[test]
fn a_namespace_with_a_slash_is_a_path() {
    let mut there_ipvs = fresh();
    ipvsadm("-A -f 5 -s rr");
    let folder = Folder::new("path");
    // As a link, which stays one wherever the program looks it up from.
    let process = format!("/proc/{}/task/{}/ns/net", std::process::id(), nix::unistd::gettid());
    let named = folder.join("blue");
    std::os::unix::fs::symlink(&process, &named).unwrap();
    folder.write("plain", "");
    let export = |name: &str| {
        let output =
            table(&["export", "--netns", name]).current_dir(folder.path()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    for name in ["./blue", named.to_str().unwrap(), process.as_str()] {
        let (code, exported, errors) = export(name);
        assert_eq!(code, 0, "{name}: {errors}");
        assert!(exported.contains("fwmark: 5"), "{name}: {exported}");
    }
    for (name, code, expected) in [
        ("blue", 1, "/run/netns/blue"),
        ("./green", 1, "./green"),
        ("./plain", 1, "./plain"),
        ("", 2, "must be the name of a network namespace"),
        ("..", 2, "must be the name of a network namespace"),
    ] {
        let (end, _, errors) = export(name);
        assert_eq!(end, code, "{name}: {errors}");
        assert!(errors.contains(expected), "{name}: {errors}");
    }
    assert_eq!(there(&mut there_ipvs).len(), 1);
}

#[test]
fn a_file_that_names_a_service_outside_of_what_is_ours_is_refused() {
    let mut ipvs = fresh();
    let folder = Folder::new("only");
    let web = folder.write("web.yaml", WEB);
    let (code, _, said) =
        run(&["apply", "-y", "--only", "--own-networks", "198.51.100.0/24"], &web);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("TCP 192.0.2.10:80") && said.contains("scope"), "{said}");
    assert!(there(&mut ipvs).is_empty());
    let (code, _, said) = run(&["apply", "-y", "--only", "--own-networks", "192.0.2.0/24"], &web);
    assert_eq!((code, there(&mut ipvs).len()), (3, 1), "{said}");
    let (code, _, said) = run(&["apply", "-y", "--only"], &web);
    assert_eq!(code, 2, "--only without a rule: {said}");
}
