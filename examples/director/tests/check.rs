//! The program `director check`.

#![allow(clippy::unwrap_used, reason = "a test may fail here")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

fn check(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_director")).arg("check").args(arguments).output().unwrap()
}

/// Returns the exit code, standard output and standard error.
fn told(output: Output) -> (Option<i32>, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A file that is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("director-{}-{name}", std::process::id()));
        fs::write(&path, text).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for File {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

#[test]
fn a_valid_file_is_summed_up_in_a_line() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/director.yaml");
    let (code, out, err) = told(check(&[example]));
    assert_eq!((code, err.as_str()), (Some(0), ""));
    let expected = "valid: 4 services, 10 destinations, 16 checks; 1 destination is not checked\n";
    assert_eq!(out, format!("{example}: {expected}"));
}

#[test]
fn warnings_do_not_make_a_file_invalid() {
    let text = "services: [{tcp: 192.0.2.10:80}]";
    let file = File::new("warned.yaml", text);
    let (code, out, err) = told(check(&[file.path()]));
    assert_eq!(code, Some(0));
    assert!(out.ends_with("valid, with 1 warning: 1 service, 0 destinations, 0 checks\n"));
    assert!(
        err.starts_with(&format!("{}:1:12: warning: TCP 192.0.2.10:80: ", file.path())),
        "{err}"
    );
}

#[test]
fn the_exit_code_says_why_there_is_no_configuration() {
    let file = File::new("invalid.txt", "services: []\nresinc: 5");
    let (code, out, err) = told(check(&[file.path(), "--format", "yaml"]));
    assert_eq!((code, out.as_str()), (Some(3), ""));
    let expected = ":2:1: unknown key \"resinc\", did you mean resync?\n";
    assert_eq!(err, format!("{}{expected}", file.path()));
    let (code, _, err) = told(check(&[file.path()]));
    assert_eq!(code, Some(3));
    assert!(
        err.ends_with("unknown extension, expected .yaml, .yml, .json or .toml, or --format\n")
    );
    let (code, _, err) = told(check(&["/nowhere.yaml"]));
    assert_eq!(code, Some(1));
    assert!(err.contains("/nowhere.yaml: No such file"), "{err}");
    assert_eq!(told(check(&[])).0, Some(2));
}

#[test]
fn run_and_check_say_alike_whether_a_file_is_wrong_or_missing() {
    let wrong = File::new("wrong.yaml", "services: 5\n");
    let missing = "/nonexistent/director.yaml";
    for (path, code) in [(wrong.path(), 3), (missing, 1), ("/nonexistent/director.conf", 3)] {
        let run =
            Command::new(env!("CARGO_BIN_EXE_director")).args(["run", path]).output().unwrap();
        assert_eq!(run.status.code(), Some(code), "{run:?}");
        assert_eq!(check(&[path]).status.code(), Some(code), "{path}");
    }
}
