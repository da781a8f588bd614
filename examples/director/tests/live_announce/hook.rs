//! The hook for a dummy interface, by itself.

use std::process::{Command, Output};

use crate::daemon::hooks;
use crate::network::Namespace;

fn run(namespace: &Namespace, state: &str, address: &str, interface: &str) -> Output {
    let family = if address.contains(':') { "inet6" } else { "inet" };
    let run = || {
        let mut command = Command::new(hooks().join("dummy-address"));
        command.arg(interface).env("DIRECTOR_STATE", state).env("DIRECTOR_ADDRESS", address);
        command.env("DIRECTOR_FAMILY", family).env("DIRECTOR_SERVICE", "FWM 5").output()
    };
    namespace.run(run).unwrap()
}

fn succeeds(namespace: &Namespace, state: &str, address: &str) {
    let output = run(namespace, state, address, "vip0");
    assert!(output.status.success(), "{state} {address}: {output:?}");
}

fn addresses(namespace: &Namespace) -> Vec<String> {
    let show = || Command::new("ip").args(["-oneline", "address", "show", "dev", "vip0"]).output();
    let output = namespace.run(show).unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let words = text.lines().filter_map(|line| line.split_whitespace().nth(3));
    let mut all: Vec<_> = words.filter(|it| !it.starts_with("fe80")).map(str::to_owned).collect();
    all.sort();
    all
}

#[test]
fn the_dummy_address_comes_and_goes_however_often_it_is_asked_for() {
    let namespace = Namespace::new().unwrap();
    succeeds(&namespace, "unavailable", "198.51.100.1");
    for _ in 0..2 {
        succeeds(&namespace, "available", "198.51.100.1");
    }
    succeeds(&namespace, "available", "2001:db8::1");
    succeeds(&namespace, "available", "198.51.100.2");
    assert_eq!(addresses(&namespace), ["198.51.100.1/32", "198.51.100.2/32", "2001:db8::1/128"]);
    for _ in 0..2 {
        succeeds(&namespace, "unavailable", "198.51.100.1");
        succeeds(&namespace, "unavailable", "2001:db8::1");
    }
    assert_eq!(addresses(&namespace), ["198.51.100.2/32"]);
}

#[test]
fn what_the_dummy_address_cannot_do_it_says() {
    let namespace = Namespace::new().unwrap();
    for (state, address, interface, said) in [
        ("available", "", "vip0", "FWM 5 has no address"),
        ("half", "198.51.100.1", "vip0", "DIRECTOR_STATE is half"),
        ("available", "198.51.100.1", "a-name-that-is-too-long", "a-name-that-is-too-long"),
    ] {
        let output = run(&namespace, state, address, interface);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && errors.contains(said), "{output:?}");
    }
}
