//! The program as a process, and the table that it keeps.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::table::Table;
use nix::sched::{CloneFlags, unshare};
use node_proxy::api_server::ApiServer;
use rustix::process::{Pid, Signal, kill_process};

use super::PATIENCE;

/// Moves this thread into a network namespace of its own, with its loopback interface. Threads and processes
/// that it starts are in it, too.
pub(crate) fn fresh_namespace() {
    unshare(CloneFlags::CLONE_NEWNET).expect("a test on a real kernel needs CAP_SYS_ADMIN");
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
    assert!(up.expect("iproute2 is needed").success());
}

fn command(server: &ApiServer, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_node-proxy"));
    command.args(["run", "--node-name", "node-a", "--api-server"]).arg(server.url());
    command.arg("--state-dir").arg(state_directory(server));
    command.args(arguments);
    command
}

/// Where the programs of one test keep what they have made.
pub(crate) fn state_directory(server: &ApiServer) -> PathBuf {
    std::env::temp_dir().join(format!("node-proxy-{}", server.address().port()))
}

/// Runs the program to its end, which has to be success, and returns what it prints.
#[track_caller]
pub(crate) fn run(server: &ApiServer, arguments: &[&str]) -> String {
    run_with_log(server, arguments).0
}

/// Runs the program to its end, which has to be success, and returns what it prints, and its log.
#[track_caller]
pub(crate) fn run_with_log(server: &ApiServer, arguments: &[&str]) -> (String, String) {
    let output = command(server, arguments).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

/// Runs the program to its end, which has to be failure, and returns its log.
#[track_caller]
pub(crate) fn fail(server: &ApiServer, arguments: &[&str]) -> String {
    let output = command(server, arguments).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// `node-proxy run`, until this is dropped. Then its table is emptied, unless the program was killed before.
pub(crate) struct Agent {
    child: Child,
    lines: Receiver<String>,
    pub(crate) ipvs: Client,
    killed: bool,
}

impl Agent {
    /// Starts the program against a server.
    pub(crate) fn start(server: &ApiServer, arguments: &[&str]) -> Self {
        Self::spawn(command(server, arguments))
    }

    /// Starts a command that runs the program.
    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                println!("agent: {line}");
                let _ = sender.send(line);
            }
        });
        Self { child, lines, ipvs: Client::connect().unwrap(), killed: false }
    }

    /// Starts the program, and never reads its log.
    pub(crate) fn start_unread(server: &ApiServer, arguments: &[&str]) -> Self {
        let child = command(server, arguments).stderr(Stdio::piped()).spawn().unwrap();
        let (_, lines) = channel();
        Self { child, lines, ipvs: Client::connect().unwrap(), killed: false }
    }

    /// Ends the program by a signal, which has to be success.
    #[track_caller]
    pub(crate) fn terminate(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    /// Kills the program, and leaves its table.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.killed = true;
    }

    /// Waits for a line of its log that begins so.
    #[track_caller]
    pub(crate) fn wait_for(&self, begin: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.starts_with(begin) => return,
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => panic!("no line begins with {begin:?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the agent has ended"),
            }
        }
    }

    /// Returns the kernel's table as text.
    pub(crate) fn table(&mut self) -> String {
        Table::from(&self.ipvs.snapshot().unwrap()).to_string()
    }

    /// Waits until the kernel's table is this one.
    #[track_caller]
    pub(crate) fn wait_for_table(&mut self, wanted: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let table = self.table();
            if table == wanted {
                return;
            }
            assert!(Instant::now() < end, "not the table\n{wanted}but\n{table}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asserts that the kernel's table stays this one for so long.
    #[track_caller]
    pub(crate) fn assert_table_stays(&mut self, wanted: &str, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            assert_eq!(self.table(), wanted);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if !self.killed {
            let _ = self.ipvs.flush();
        }
    }
}
