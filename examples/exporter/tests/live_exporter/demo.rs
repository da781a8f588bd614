//! The demo prints what the README says.

use std::process::Command;

const README: &str = include_str!("../../README.md");

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let output = Command::new(env!("CARGO_BIN_EXE_exporter")).arg("--demo").output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let shown = README.split_once("```text\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(String::from_utf8(output.stdout).unwrap(), shown);
}
