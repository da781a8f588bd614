//! A server whose check is not due for an hour: what clients' packets show brings the check.

use std::time::Instant;

use director::status::DestinationState;

use crate::stage::{Daemon, Stage, file, id, service, there};
use crate::{PORT, servers, web};

#[test]
fn signs_bring_the_check_that_is_due_in_an_hour() {
    let stage = Stage::with_hosts(2);
    let _all: Vec<_> = (0..2).map(|host| stage.serve(host, PORT)).collect();
    let pace = "pace: {interval: 1h, changing: 100ms, fall: 2}";
    let signs = "passive_signs: {on_sign: check, interval: 4s}\n";
    let text = file(&[service(web(), &servers(2), &[pace])]);
    let daemon = Daemon::start(&stage, "signs", &(signs.to_owned() + &text));
    for host in 0..2 {
        daemon.wait_for_state(id(web()), there(host, PORT), DestinationState::Up);
    }
    let crowd = stage.crowd(&[web()], 20);
    let silent = there(1, PORT);
    stage.silence(1, true);
    let begin = Instant::now();
    let down = daemon.wait_for_state(id(web()), silent, DestinationState::Down);
    println!("down after {:?}: {down:?}", begin.elapsed());
    // Which one comes first depends on when the connections were read.
    let expected = ["packets without an answer", "connections half open, none established"];
    let is_expected = |sign: &String| expected.iter().any(|end| sign.ends_with(end));
    assert!(!down.signs.is_empty() && down.signs.iter().all(is_expected), "{down:?}");
    let healthy = daemon.destination(id(web()), there(0, PORT)).unwrap();
    assert_eq!((healthy.state, healthy.signs), (DestinationState::Up, Vec::new()));
    assert!(daemon.log().contains("passive-sign"), "{}", daemon.log());
    crowd.stop();
}
