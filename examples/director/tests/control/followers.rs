//! Clients that follow the events.

use std::net::Shutdown;
use std::time::Duration;

use director::control::limits::Limits;

use crate::desk::{Desk, status};

const STATES: &str = "{\"version\":1,\"order\":\"events\"}\n";
const NOW: &str = "{\"version\":1,\"order\":\"events\",\"from\":\"now\"}\n";

#[test]
fn events_follow_the_states() {
    let desk = Desk::start("states", Limits::DAEMON, status(3));
    desk.event("before");
    let mut client = desk.client();
    let states = client.write(STATES).read().unwrap();
    assert_eq!(states["answer"], "status");
    assert_eq!(states["status"]["services"][0]["destinations"].as_array().unwrap().len(), 3);
    for text in ["one", "two"] {
        desk.event(text);
        let event = client.read().unwrap();
        assert_eq!((&event["answer"], &event["event"]["text"]), (&"event".into(), &text.into()));
        assert_eq!(event["event"]["kind"], "test");
    }
}

#[test]
fn a_client_that_says_no_more_still_follows() {
    let desk = Desk::start("quiet", Limits::DAEMON, status(1));
    let mut client = desk.client();
    assert_eq!(client.write(NOW).kind().as_deref(), Some("done"));
    client.stream.get_mut().shutdown(Shutdown::Write).unwrap();
    // Longer than the server takes to look who is there.
    std::thread::sleep(Duration::from_millis(5500));
    desk.event("later");
    assert_eq!(client.read().unwrap()["event"]["text"], "later");
}

#[test]
fn a_slow_client_is_told_how_much_is_lost_and_gets_the_states_again() {
    let desk = Desk::start("slow", Limits::DAEMON, status(1));
    let mut client = desk.client();
    assert_eq!(client.write(STATES).kind().as_deref(), Some("status"));
    let sent: u64 = 20_000;
    for number in 0..sent {
        desk.event(&format!("{number} {}", "x".repeat(500)));
        if number % 32 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let (mut seen, mut lost, mut states) = (0, 0, 0);
    loop {
        let line = client.read().unwrap();
        match line["answer"].as_str() {
            Some("event") if line["event"]["text"] == "last" => break,
            Some("event") => seen += 1,
            Some("lost") => {
                lost += line["events"].as_u64().unwrap();
                assert_eq!(client.kind().as_deref(), Some("status"));
                states += 1;
                // What the states tell already is not told again.
                desk.event("last");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(lost > 0 && states > 0, "{seen} seen, {lost} lost");
}

#[test]
fn followers_that_have_gone_give_their_places_back() {
    let desk = Desk::start("gone", Limits::DAEMON, status(1));
    for _ in 0..Limits::DAEMON.followers {
        assert_eq!(desk.client().write(NOW).kind().as_deref(), Some("done"));
    }
    // No event tells the server that they have gone; it looks every 5 s.
    std::thread::sleep(Duration::from_millis(5500));
    let mut client = desk.client();
    assert_eq!(client.write(NOW).kind().as_deref(), Some("done"));
}

#[test]
fn followers_leave_room_for_orders() {
    let desk = Desk::start("room", Limits::DAEMON, status(1));
    let mut followers: Vec<_> = (0..Limits::DAEMON.followers).map(|_| desk.client()).collect();
    for client in &mut followers {
        assert_eq!(client.write(NOW).kind().as_deref(), Some("done"));
    }
    let mut client = desk.client();
    assert_eq!(client.write(NOW).kind().as_deref(), Some("busy"));
    assert_eq!(client.read(), None);
    let mut client = desk.client();
    assert_eq!(
        client.write("{\"version\":1,\"order\":\"reload\"}\n").kind().as_deref(),
        Some("done")
    );
}

#[test]
fn the_last_events_come_before_the_end() {
    let mut desk = Desk::start("farewell", Limits::DAEMON, status(1));
    let mut client = desk.client();
    assert_eq!(client.write(NOW).kind().as_deref(), Some("done"));
    desk.event("stopping");
    desk.stop();
    assert_eq!(client.read().unwrap()["event"]["text"], "stopping");
    assert_eq!(client.read(), None);
}
