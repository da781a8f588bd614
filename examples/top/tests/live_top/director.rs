//! A director that is in another network namespace than the table.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::{fs, thread};

use serde_json::Value;

use crate::network::Namespace;
use crate::scene::Scene;

const STATUS: &str = r#"{"version":1,"answer":"status","status":{"services":[{"service":"TCP 127.0.0.80:80","available":true,"destinations":[{"destination":"127.0.0.1:8000","state":"down","weight":1}]}]}}"#;

/// What the program says, if it is run in this namespace, and this process is the director.
fn told(home: &Namespace, socket: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ipvs-top"));
    command.args(["--json", "--director"]).arg(socket);
    let output = home.run(|| command.output()).unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_director_elsewhere_says_nothing_of_this_table() {
    // QEMU's guest has no sockets in the host's folders.
    let socket = Path::new("/dev/shm").join(format!("live_top-{}.socket", std::process::id()));
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let _ = writeln!(stream, "{STATUS}");
        }
    });
    let scene = Scene::new();
    let elsewhere = told(&scene.home, &socket);
    assert_eq!(elsewhere["director"], "elsewhere", "{elsewhere}");
    assert_eq!(elsewhere["totals"]["dead"], 0, "{elsewhere}");

    let mut command = Command::new(env!("CARGO_BIN_EXE_ipvs-top"));
    command.args(["--once", "--director"]).arg(&socket);
    let once = scene.home.run(|| command.output()).unwrap();
    let told = String::from_utf8(once.stderr).unwrap();
    assert!(told.contains("the director of the socket is in another network namespace"), "{told}");

    // The same director, asked where it is.
    let mut command = Command::new(env!("CARGO_BIN_EXE_ipvs-top"));
    let here = command.args(["--json", "--director"]).arg(&socket).output().unwrap();
    let here: Value = serde_json::from_slice(&here.stdout).unwrap();
    assert_eq!(here["director"], "present", "{here}");
    fs::remove_file(&socket).unwrap();
}
