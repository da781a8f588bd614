//! How the program ends on a signal while a program that gives credentials hangs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::stage::PATIENCE;
use crate::stage::agent::fresh_namespace;

/// How long the end may take on a machine that is busy.
const SOON: Duration = Duration::from_secs(5);

/// A folder with the program that hangs and a kubeconfig that names it.
struct Credentials(PathBuf);

impl Credentials {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("node-proxy-plugin-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let config = "apiVersion: v1\n\
            kind: Config\n\
            current-context: only\n\
            contexts: [{name: only, context: {cluster: only, user: only}}]\n\
            clusters: [{name: only, cluster: {server: 'http://127.0.0.1:1'}}]\n\
            users:\n\
            - name: only\n  \
              user:\n    \
                exec:\n      \
                  apiVersion: client.authentication.k8s.io/v1\n      \
                  interactiveMode: Never\n      \
                  command: /bin/sh\n      \
                  args: [-c, 'echo $$ >FOLDER/new; mv FOLDER/new FOLDER/hangs; exec sleep 60']\n";
        let config = config.replace("FOLDER", folder.to_str().unwrap());
        fs::write(folder.join("kubeconfig"), config).unwrap();
        Self(folder)
    }

    /// Starts `node-proxy run`, ends it by a signal while the other program hangs, and returns how it has ended.
    #[track_caller]
    fn interrupt(&self, options: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_node-proxy"));
        command.args(["run", "--node-name=node-a", "--kubeconfig"]).arg(self.0.join("kubeconfig"));
        command.arg("--state-dir").arg(&self.0).args(options);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let plugin = wait_for_pid(&self.0.join("hangs"));
        let begun = Instant::now();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let output = child.wait_with_output().unwrap();
        let took = begun.elapsed();
        let _ = kill_process(plugin, Signal::KILL);
        assert!(took < SOON, "{took:?} {options:?} {output:?}");
        output
    }
}

impl Drop for Credentials {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits for a file with the number of a process, and removes it.
#[track_caller]
fn wait_for_pid(file: &Path) -> Pid {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = fs::read_to_string(file) {
            fs::remove_file(file).unwrap();
            return Pid::from_raw(text.trim().parse().unwrap()).unwrap();
        }
        assert!(Instant::now() < end, "nobody asks for credentials");
        sleep(Duration::from_millis(20));
    }
}

/// A plan that is empty because of a signal is not one that changes nothing.
#[test]
fn a_signal_ends_the_program_at_once_and_fails_what_was_to_be_done_once() {
    fresh_namespace();
    let credentials = Credentials::new();
    let agent = credentials.interrupt(&[]);
    assert_eq!((agent.status.code(), agent.stderr.as_slice()), (Some(0), &b""[..]));
    for options in ["--dry-run", "--init-only", "--explain=shop/web"] {
        let once = credentials.interrupt(&[options]);
        let said = String::from_utf8(once.stderr).unwrap();
        assert_eq!(said, "node-proxy: ended by a signal before it was done\n", "{options}");
        assert_eq!((once.status.code(), once.stdout.as_slice()), (Some(1), &b""[..]), "{options}");
    }
}
