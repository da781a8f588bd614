//! The program `exporter` in a network namespace, and what a scrape says.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{io, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::network::Namespace;

/// Long enough for a busy or emulated machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The program, which is killed when this is dropped.
pub(crate) struct Exporter<'n> {
    home: &'n Namespace,
    child: Child,
    pub(crate) address: SocketAddr,
    _log: BufReader<ChildStderr>,
}

impl<'n> Exporter<'n> {
    pub(crate) fn start(home: &'n Namespace, arguments: &[&str]) -> Self {
        Self::of(home, Command::new(env!("CARGO_BIN_EXE_exporter")).args(arguments))
    }

    pub(crate) fn of(home: &'n Namespace, command: &mut Command) -> Self {
        command.args(["--listen", "127.0.0.1:0"]).stderr(Stdio::piped());
        let mut child = home.run(|| command.spawn()).unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let address = line.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("the exporter says {line:?}"));
        let address = address.parse().unwrap();
        Self { home, child, address, _log: log }
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks for a path, and returns the answer with its head.
    pub(crate) fn get(&self, path: &str) -> io::Result<String> {
        self.get_with(path, "")
    }

    /// Asks with more headers, each a line.
    pub(crate) fn get_with(&self, path: &str, headers: &str) -> io::Result<String> {
        let mut stream = self.home.run(|| TcpStream::connect(self.address))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.0\r\n{headers}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub(crate) fn scrape(&self) -> Series {
        let answer = self.get("/metrics").unwrap();
        assert!(answer.starts_with("HTTP/1.0 200 OK"), "{answer:.300}");
        Series::of(answer.split_once("\r\n\r\n").unwrap().1)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }

    /// Sends SIGTERM and waits for the end.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        self.signal(Signal::SIGTERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the exporter does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Exporter<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The series of a scrape, by name and labels as they are written.
#[derive(Debug)]
pub(crate) struct Series(HashMap<String, String>);

impl Series {
    pub(crate) fn of(text: &str) -> Self {
        let mut series = HashMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').unwrap();
            let before = series.insert(name.to_owned(), value.to_owned());
            assert_eq!(before, None, "doubled: {line}");
        }
        Self(series)
    }

    /// The value of a series, or `None`.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).map(|value| value.parse().unwrap())
    }

    /// The sum of a family over the series with these texts in their labels.
    pub(crate) fn sum(&self, family: &str, labels: &[&str]) -> f64 {
        let series = self.0.iter().filter(|(name, _)| {
            name.split('{').next() == Some(family) && labels.iter().all(|it| name.contains(it))
        });
        series.map(|(_, value)| value.parse::<f64>().unwrap()).sum()
    }

    pub(crate) fn has(&self, family: &str) -> bool {
        self.0.keys().any(|name| name.split('{').next() == Some(family))
    }
}

/// The path of an open namespace, for other processes.
pub(crate) fn path_of(namespace: &Namespace) -> String {
    use std::os::fd::{AsFd as _, AsRawFd as _};
    let path = format!("/proc/{}/fd/{}", std::process::id(), namespace.as_fd().as_raw_fd());
    assert!(Path::new(&path).exists());
    path
}
