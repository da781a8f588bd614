//! kubectl as a process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use node_proxy::api_server::ApiServer;

use super::PATIENCE;

/// Where `fetch-kubectl` has put kubectl. On the host it may be fetched now; before a kernel starts, the runner has
/// done so.
fn program() -> PathBuf {
    let target = Path::new(env!("CARGO_BIN_EXE_node-proxy")).ancestors().nth(2).unwrap();
    let program = target.join("kernel/kubectl/kubectl");
    if !program.exists() {
        let fetch = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/stage/fetch-kubectl");
        let mut command = Command::new(fetch);
        let fetched = command.env("CARGO_TARGET_DIR", target).stdout(Stdio::null()).status();
        assert!(fetched.unwrap().success(), "kubectl cannot be fetched");
    }
    program
}

/// Runs kubectl against one server.
pub(crate) struct Kubectl<'s>(pub(crate) &'s ApiServer);

impl Kubectl<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).arg("--server").arg(self.0.url());
        // It keeps what it has discovered, and must not find the user's clusters.
        command.env("HOME", "/nonexistent").env("KUBECONFIG", "/dev/null");
        command.env(
            "KUBECACHEDIR",
            std::env::temp_dir().join(format!("kubectl-{}", self.0.address().port())),
        );
        command
    }

    /// Runs a command, and returns what it says, which has to be success.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str], input: &str) -> String {
        let (ok, said) = self.try_run(arguments, input);
        assert!(ok, "{arguments:?}: {said}");
        said
    }

    /// Runs a command. Returns whether it went well, and what it said.
    pub(crate) fn try_run(&self, arguments: &[&str], input: &str) -> (bool, String) {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    }

    /// Starts a command that goes on.
    pub(crate) fn follow(&self, arguments: &[&str]) -> Following {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Following { child, lines }
    }
}

/// A command that goes on until this is dropped.
pub(crate) struct Following {
    child: Child,
    lines: Receiver<String>,
}

impl Following {
    /// Waits for a line that has all of these words.
    #[track_caller]
    pub(crate) fn wait_for(&self, words: &[&str]) {
        let mut seen = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if words.iter().all(|word| line.contains(word)) => return,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {words:?} but {seen:?}: {error}"),
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
