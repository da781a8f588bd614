//! A terminal with a shell.

use std::cell::RefCell;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use crate::network::Namespace;

/// Long enough for a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Escape is sent at once, and no line is tmux's own.
const SETTINGS: &str = "\
set -g default-terminal xterm-256color
set -sg escape-time 0
set -g status off
";

/// A terminal, which goes away when this is dropped.
#[derive(Debug)]
pub(crate) struct Tmux {
    folder: PathBuf,
    control: RefCell<Option<Control>>,
}

/// A client of tmux's control mode: a process for each command would take longer than all else.
#[derive(Debug)]
struct Control {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Control {
    /// Gives a command, and returns what it prints.
    fn run(&mut self, command: &str) -> String {
        writeln!(self.commands, "{command}").unwrap();
        // Other lines are news, and the answer to the client's own beginning.
        let mut answer: Option<String> = None;
        loop {
            let mut line = String::new();
            assert!(self.answers.read_line(&mut line).unwrap() > 0, "tmux ended at {command}");
            let is = |word: &str| line.starts_with(word) && line.ends_with(" 1\n");
            match &mut answer {
                _ if is("%begin ") => answer = Some(String::new()),
                _ if is("%error ") => panic!("{command}: {answer:?}"),
                Some(_) if is("%end ") => return answer.unwrap(),
                Some(answer) => *answer += &line,
                None => {}
            }
        }
    }
}

impl Tmux {
    /// Starts a shell in a namespace.
    pub(crate) fn start(home: &Namespace, width: u16, height: u16) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // QEMU's guest has no sockets in the host's folders.
        let folder =
            Path::new("/dev/shm").join(format!("live_top-{}-{number}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("settings"), SETTINGS).unwrap();
        let tmux = Self { folder, control: RefCell::new(None) };
        let size = [width.to_string(), height.to_string()];
        let mut command = tmux.command();
        command.args(["new-session", "-d", "-x", &size[0], "-y", &size[1]]);
        command.args(["bash", "--norc", "--noprofile"]);
        finish(home.run(|| command.output()).unwrap());
        let mut command = tmux.command();
        command.args(["-C", "attach-session", "-f", "no-output"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (commands, answers) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let answers = BufReader::new(answers);
        *tmux.control.borrow_mut() = Some(Control { child, commands, answers });
        tmux.wait_for("a shell", |screen| screen.contains('$'));
        tmux
    }

    fn command(&self) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_ipvs-top"));
        let path = env::var("PATH").unwrap();
        let ours = program.parent().unwrap().display();
        // Where `fetch` has put it, if the host has none.
        let fetched = program.ancestors().nth(2).unwrap().join("kernel/tmux");
        let (tmux, libraries) = match fetched.exists() {
            true => (fetched.join("usr/bin/tmux"), fetched.join("usr/lib/x86_64-linux-gnu")),
            false => (PathBuf::from("tmux"), PathBuf::new()),
        };
        let mut command = Command::new(tmux);
        command.arg("-S").arg(self.folder.join("socket"));
        command.arg("-f").arg(self.folder.join("settings"));
        command.current_dir(&self.folder).env("LD_LIBRARY_PATH", libraries);
        command.env("PATH", format!("{ours}:{path}")).env("PS1", "$ ").env("LC_ALL", "C.UTF-8");
        command.env("XDG_STATE_HOME", &self.folder).env("TEST", env::current_exe().unwrap());
        command.env_remove("NO_COLOR").env_remove("COLORFGBG").env_remove("TMUX");
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        let quoted: Vec<_> = arguments.iter().map(|word| format!("'{word}'")).collect();
        self.control.borrow_mut().as_mut().unwrap().run(&quoted.join(" "))
    }

    /// Types a line for the shell.
    pub(crate) fn line(&self, text: &str) {
        self.run(&["send-keys", "-l", text]);
        self.press("Enter");
    }

    /// Presses a key: a character, or a name of tmux.
    pub(crate) fn press(&self, key: &str) {
        self.run(&["send-keys", key]);
    }

    /// Starts the program without a director. The shell tells how it ends.
    pub(crate) fn top(&self, arguments: &str) {
        self.top_with(&format!("--no-director {arguments}"));
    }

    /// Starts the program. The shell tells how it ends.
    pub(crate) fn top_with(&self, arguments: &str) {
        self.line(&format!("ipvs-top {arguments}; echo ended $?"));
        self.wait_for("the program", |screen| screen.contains("top: services"));
    }

    /// The text of the screen, a line each.
    pub(crate) fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    /// Waits until the screen is so, and returns it.
    pub(crate) fn wait_for(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let screen = self.screen();
            if is_so(&screen) {
                return screen;
            }
            assert!(Instant::now() < deadline, "no {what}:\n{screen}");
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until the screen has a text, and returns it.
    pub(crate) fn wait_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    /// Whether the program has the screen, and what it has changed of the terminal: other screen, cursor
    /// shown, any mouse.
    pub(crate) fn modes(&self) -> String {
        let modes = "#{alternate_on} #{cursor_flag} #{mouse_any_flag}";
        self.run(&["display-message", "-p", modes]).trim().to_owned()
    }

    pub(crate) fn resize(&self, width: u16, height: u16) {
        let size = [width.to_string(), height.to_string()];
        self.run(&["resize-window", "-x", &size[0], "-y", &size[1]]);
    }

    /// The terminal goes away.
    pub(crate) fn kill(&self) {
        finish(self.command().arg("kill-server").output().unwrap());
    }

    /// Makes a file in the folder of the shell.
    pub(crate) fn make_file(&self, name: &str) {
        fs::write(self.folder.join(name), "").unwrap();
    }

    /// What a command of the shell has written to a file.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.join(name)).unwrap()
    }

    /// The process of the program.
    pub(crate) fn process(&self) -> i32 {
        let shell = self.run(&["display-message", "-p", "#{pane_pid}"]);
        let is_ours = |process: &i32| {
            let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
            let after = stat.rsplit(") ").next().unwrap_or_default();
            after.split(' ').nth(1) == Some(shell.trim())
        };
        let names = fs::read_dir("/proc").unwrap().map(|it| it.unwrap().file_name());
        let mut all = names.filter_map(|it| it.to_str()?.parse().ok());
        all.find(is_ours).expect("the program")
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = self.command().arg("kill-server").output();
        if let Some(mut control) = self.control.take() {
            let _ = control.child.kill();
            let _ = control.child.wait();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn finish(output: Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}
