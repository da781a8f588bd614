//! `director convert` as a program.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that fails panics"
)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

const PLAIN: &str = "virtual_server 192.0.2.1 80 {\nprotocol TCP\nreal_server 10.0.0.2 8080 {\n\
                     HTTP_GET {\nurl {\npath /\n}\n}\n}\n}\n";

fn director(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_director")).args(arguments).output().unwrap()
}

/// Writes a file into the folder for files of tests.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn what_is_converted_passes_the_check() {
    let path = file("plain.conf", PLAIN);
    let path = path.to_str().unwrap();
    let output = director(&["convert", path]);
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    let yaml = file("plain.yaml", &String::from_utf8(output.stdout.clone()).unwrap());
    let checked = director(&["check", yaml.to_str().unwrap()]);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
    let other = yaml.with_file_name("other.yaml");
    let written = director(&["convert", path, "-o", other.to_str().unwrap()]);
    assert_eq!((written.status.code(), written.stdout.as_slice()), (Some(0), &b""[..]));
    assert_eq!(fs::read(other).unwrap(), output.stdout);
}

#[test]
fn what_is_not_said_is_told_with_its_line() {
    let path = file("more.conf", &format!("{PLAIN}@one nothing\nvrrp_instance V {{\n}}\n"));
    let path = path.to_str().unwrap();
    let output = director(&["convert", path]);
    let told = String::from_utf8(output.stderr).unwrap();
    let told: Vec<&str> = told.lines().filter_map(|line| line.strip_prefix(path)).collect();
    assert_eq!(output.status.code(), Some(9));
    assert_eq!(told.len(), 2);
    assert!(told[0].starts_with(":11: @one nothing: left out: "), "{told:?}");
    assert!(told[1].starts_with(":12: vrrp_instance: left out: "), "{told:?}");
    let other = director(&["convert", path, "--config-id", "two"]);
    assert_eq!(String::from_utf8(other.stderr).unwrap().lines().count(), 1);
}

#[test]
fn what_cannot_be_read_or_written_is_an_error() {
    let broken = file("broken.conf", "virtual_server {\n");
    let broken = director(&["convert", broken.to_str().unwrap()]);
    assert_eq!((broken.status.code(), broken.stdout.as_slice()), (Some(3), &b""[..]));
    let told = String::from_utf8(broken.stderr).unwrap();
    assert!(told.ends_with("broken.conf:1: the block that begins here is not closed\n"), "{told}");
    let plain = file("unwritten.conf", PLAIN);
    let unwritten = director(&["convert", plain.to_str().unwrap(), "-o", "/nowhere/at/all"]);
    assert_eq!(unwritten.status.code(), Some(1));
    let told = String::from_utf8(unwritten.stderr).unwrap();
    assert!(told.starts_with("director: /nowhere/at/all: No such file"), "{told}");
}
