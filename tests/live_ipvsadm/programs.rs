//! Runs the example and the original.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The output of a program and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) output: String,
    /// Whether the program printed something on standard error.
    pub(crate) complained: bool,
    pub(crate) code: Option<i32>,
}

/// The exit code of `timeout`. The original waits for an answer after it has stopped a daemon, and
/// the kernel does not always send one.
pub(crate) const UNANSWERED: Option<i32> = Some(124);

/// One of the two programs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Ours,
    Original,
}

impl Program {
    /// Runs the program in this thread's namespaces. Blanks separate the words, and '' is an empty
    /// word.
    pub(crate) fn run(self, words: &str) -> End {
        self.fed(words, "")
    }

    /// Runs the program with this standard input.
    pub(crate) fn fed(self, words: &str, input: &str) -> End {
        let mut command = Command::new(self.path());
        if words.contains("--stop-daemon") {
            command = Command::new("timeout");
            command.arg("10").arg(self.path());
        }
        let words = words.split_ascii_whitespace().map(|word| word.trim_matches('\''));
        let mut child = command
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A program that refuses its command line ends without reading, which makes the write fail.
        child.stdin.take().unwrap().write_all(input.as_bytes()).ok();
        let output = child.wait_with_output().unwrap();
        End {
            output: String::from_utf8(output.stdout).unwrap(),
            complained: !output.stderr.is_empty(),
            code: output.status.code(),
        }
    }

    fn path(self) -> PathBuf {
        match self {
            Self::Original => "ipvsadm".into(),
            Self::Ours => ours(),
        }
    }
}

/// The path of the example, which `cargo test` builds beside the tests.
pub(crate) fn ours() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples/ipvsadm");
    assert!(example.exists(), "run `cargo build --examples` first");
    example
}

/// Runs both programs, asserts that they do the same, and returns what they did.
#[track_caller]
pub(crate) fn same(words: &str) -> End {
    let ours = Program::Ours.run(words);
    assert_eq!(ours, Program::Original.run(words), "ipvsadm {words}");
    ours
}

/// Compares a list that changes by itself: runs the original before and after the example until both
/// runs are the same, and asserts that the example printed the same, too.
#[track_caller]
pub(crate) fn same_meanwhile(words: &str) -> End {
    for _ in 0..50 {
        let before = Program::Original.run(words);
        let ours = Program::Ours.run(words);
        if Program::Original.run(words) == before {
            assert_eq!(ours, before, "ipvsadm {words}");
            return ours;
        }
    }
    panic!("ipvsadm {words}: the original never printed the same twice");
}
