//! Files of /etc as a test wants them.

use std::fs;
use std::path::Path;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::mkdtemp;

const HOSTS: &str = "\
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
diameter 3868/sctp
a-service-with-a-long-name 8080/tcp
";

/// Gives this thread files of its own for names of hosts and services, and no name
/// server to ask.
pub(crate) fn with_names() {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    let files = [
        ("hosts", HOSTS),
        ("services", SERVICES),
        ("nsswitch.conf", "hosts: files\nservices: files\n"),
    ];
    // The files are in memory and gone with the thread.
    let folder = mkdtemp(&std::env::temp_dir().join("ipvsadm-XXXXXX")).unwrap();
    mount(none, &folder, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    for (name, text) in files {
        let (file, place) = (folder.join(name), Path::new("/etc").join(name));
        fs::write(&file, text).unwrap();
        mount(Some(&file), &place, none, MsFlags::MS_BIND, none).unwrap();
    }
    umount2(&folder, MntFlags::MNT_DETACH).unwrap();
    fs::remove_dir(&folder).unwrap();
}
