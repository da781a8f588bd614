//! The two programs.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What a program printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) output: String,
    /// Whether it had something to say on standard error.
    pub(crate) complained: bool,
    pub(crate) code: Option<i32>,
}

/// The exit code where the original has stopped a daemon and waits for an answer, which
/// does not always come.
pub(crate) const UNANSWERED: Option<i32> = Some(124);

/// Which of the two.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    Ours,
    Original,
}

impl Program {
    /// Runs it in this thread's namespaces, with words between blanks, '' for an empty one.
    pub(crate) fn run(self, words: &str) -> End {
        self.fed(words, "")
    }

    /// The same with something on standard input.
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
        // A program that refuses its command line may have ended without reading.
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

/// The example, which `cargo test` builds beside the tests.
pub(crate) fn ours() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let example = test.ancestors().nth(2).unwrap().join("examples/ipvsadm");
    assert!(example.exists(), "run `cargo build --examples` first");
    example
}

/// Runs both, which must not differ, and returns what they did.
#[track_caller]
pub(crate) fn same(words: &str) -> End {
    let ours = Program::Ours.run(words);
    assert_eq!(ours, Program::Original.run(words), "ipvsadm {words}");
    ours
}

/// The same of something that changes by itself: at least once the original says the
/// same before and after ours, and then ours must have said it too.
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
    panic!("ipvsadm {words}: never twice the same");
}
