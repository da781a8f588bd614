//! The fake kernel as its users see it: clients over it, its clock, its faults and its controls.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test may panic")]

#[path = "../live/controller_program.rs"]
mod controller_program;
mod controllers;
#[path = "../live/examples.rs"]
mod examples;
mod faults;
#[path = "../live/folder.rs"]
#[allow(dead_code, reason = "what only other tests need")]
mod folder;
mod observer;
mod waiting;

/// The example `controller`, on a kernel of its own in memory.
fn controller() -> std::process::Command {
    let mut command = std::process::Command::new(examples::example("controller"));
    command.arg("--fake");
    command
}
