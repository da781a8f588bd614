//! Both daemons, each with a service of its own to the same servers.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use rustix::process::Signal;

use crate::columns::Column;
use crate::keepalived::Keepalived;
use crate::scene::{HOSTS, address};
use crate::stage::{Daemon, Stage};

/// A daemon under test.
pub(crate) trait Side {
    /// Its name, for the table.
    fn name(&self) -> &'static str;
    /// The address of its service.
    fn address(&self) -> SocketAddr;
    /// Gives it another file, with these servers.
    fn reload(&mut self, hosts: &[u8]);
    /// Ends it.
    fn end(&mut self, with_kill: bool);
    /// Starts it again.
    fn start_again(&mut self);
}

/// Starts keepalived, if it is there, and the daemon.
pub(crate) fn sides(stage: &Arc<Stage>, column: &Column) -> Vec<Box<dyn Side>> {
    let mut sides: Vec<Box<dyn Side>> = Vec::new();
    if Keepalived::is_there() {
        let keepalived = Keepalived::start(stage, &column.file(address(0), &HOSTS));
        sides.push(Box::new(Theirs { keepalived, column: *column }));
    } else {
        println!("KEEPALIVED is not set: the daemon alone");
    }
    let daemon = Daemon::start(stage, "director", &converted(stage, column, &HOSTS));
    sides.push(Box::new(Ours { daemon, column: *column, stage: Arc::clone(stage) }));
    sides
}

/// What `director convert` makes of keepalived's file.
fn converted(stage: &Stage, column: &Column, hosts: &[u8]) -> String {
    let path = stage.folder().join("converted.conf");
    std::fs::write(&path, column.file(address(1), hosts)).unwrap();
    let output = Command::new(crate::stage::program()).arg("convert").arg(path).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    // 9: what the converted file cannot say is told.
    assert!(matches!(output.status.code(), Some(0 | 9)), "{errors}");
    print!("{errors}");
    String::from_utf8(output.stdout).unwrap()
}

struct Theirs {
    keepalived: Keepalived,
    column: Column,
}

impl Side for Theirs {
    fn name(&self) -> &'static str {
        "keepalived"
    }

    fn address(&self) -> SocketAddr {
        address(0)
    }

    fn reload(&mut self, hosts: &[u8]) {
        self.keepalived.reload(&self.column.file(address(0), hosts));
    }

    fn end(&mut self, with_kill: bool) {
        self.keepalived.end(with_kill);
    }

    fn start_again(&mut self) {
        self.keepalived.start_again();
    }
}

struct Ours {
    daemon: Daemon,
    column: Column,
    stage: Arc<Stage>,
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        "director"
    }

    fn address(&self) -> SocketAddr {
        address(1)
    }

    fn reload(&mut self, hosts: &[u8]) {
        self.daemon.write(&converted(&self.stage, &self.column, hosts));
        self.daemon.signal(Signal::HUP);
    }

    fn end(&mut self, with_kill: bool) {
        match with_kill {
            true => self.daemon.kill(),
            false => assert!(self.daemon.stop().success()),
        }
    }

    fn start_again(&mut self) {
        self.daemon.start_again();
    }
}
