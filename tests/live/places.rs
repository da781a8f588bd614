//! An /etc for tests, because the host's may lack files or have other names.

use std::fs;
use std::path::Path;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// The hosts that every /etc/hosts has.
#[allow(dead_code, reason = "not every program of tests uses both")]
pub(crate) const LOCAL: &str = "127.0.0.1 localhost\n::1 localhost\n";

/// Hosts with names that the original `ipvsadm` cuts off.
#[allow(dead_code, reason = "not every program of tests uses both")]
pub(crate) const LONG: &str = "\
127.0.0.1 localhost
10.0.1.1 server
10.0.1.2 a-server.with-a-name.of-exactly.example
10.0.1.3 a-server-with-a-name-that-is-longer-than-any-column-of-any-list.example
10.0.0.9 a-service-with-a-name-that-is-longer-than-any-column-of-any-list.example
2001:db8::2 a-server-with-a-name-that-is-longer-than-any-column-of-any-list.example
2001:db8::1 six
";

const SERVICES: &str = "\
# Comments, tabs, aliases, and a port with two names, of which the first counts.
http\t\t80/tcp\t\twww # WorldWideWeb
web 80/tcp
domain 53/tcp
domain 53/udp
https 443/tcp
diameter 3868/sctp
a-service-with-a-long-name 8080/tcp
";

/// Gives this thread an /etc with these hosts and with names of services. It has no other file, so
/// no name server is asked.
pub(crate) fn with_names(hosts: &str) {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    // The file system is in memory and ends with the thread.
    mount(none, "/etc", Some("tmpfs"), MsFlags::empty(), none).unwrap();
    for (name, text) in [
        ("hosts", hosts),
        ("services", SERVICES),
        ("nsswitch.conf", "hosts: files\nservices: files\n"),
        // A name may have addresses of both families.
        ("host.conf", "multi on\n"),
    ] {
        fs::write(Path::new("/etc").join(name), text).unwrap();
    }
}
