//! Who may do what. The guest's root can be any user.

use crate::daemon::Daemon;

#[test]
fn the_sockets_decide_who_may_do_what() {
    let daemon = Daemon::start("rights");
    let said = |output: &std::process::Output| String::from_utf8(output.stderr.clone()).unwrap();
    let order = ["maintenance", "on", "127.0.0.2:8081"];
    // A user of the group may give orders, and has a name that the kernel knows.
    let member = daemon.director_as(4242, &daemon.socket(), &order);
    assert_eq!(member.status.code(), Some(0), "{}", said(&member));
    let by = daemon.wait_for("127.0.0.2:8081", |it| it["state"] == "out");
    assert_eq!(by["maintenance"]["by"], "user 4711");
    // Another one may not even ask.
    let stranger = daemon.director_as(4243, &daemon.socket(), &["status"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(said(&stranger).contains("permission denied"), "{}", said(&stranger));
    // The other socket is for everybody, and only to look.
    let look = daemon.director_as(4243, &daemon.status_socket(), &["status"]);
    assert_eq!(look.status.code(), Some(0), "{}", said(&look));
    for order in [&["reload"][..], &["maintenance", "off", "127.0.0.2:8081"]] {
        let output = daemon.director_as(4243, &daemon.status_socket(), order);
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains("takes no order that changes"), "{}", said(&output));
    }
    daemon.wait_for("127.0.0.2:8081", |it| it["state"] == "out");
}
