//! Options that choose what is planned, and where.

use std::fs::File;
use std::os::fd::AsRawFd;

use ipvs_netlink::DestinationId;

use super::{Folder, LESS, WEB, run, there};
use crate::namespace::fresh;

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
    fresh();
    let folder = Folder::new("names");
    let local = folder.write("local.ipvsadm", "-A -t localhost:80 -s rr\n");
    let (code, _, errors) = run(&["plan"], &local);
    assert_eq!(code, 5, "{errors}");
    assert!(errors.contains("\"localhost\" (names need a resolver)"), "{errors}");
    let (code, plan, _) = run(&["plan", "--names"], &local);
    assert_eq!((code, plan.as_str()), (3, "+ TCP 127.0.0.1:80 rr\n"));
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
    assert!(errors.contains("there is no such network namespace"), "{errors}");
}
