//! Where the wishes come from.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::table::Table;
use ipvs_netlink::table::controller::{Controller, Wish};

use crate::commands::{self, Changed};

/// The time between two looks at a file. A new version counts when two looks see the same.
const PAUSE: Duration = Duration::from_millis(500);

/// The longest file, in bytes.
const LONGEST_FILE: u64 = 32 << 20;

/// The longest line, in bytes.
const LONGEST_LINE: usize = 4096;

/// The most lines of one look, so that a signal is noticed while they come.
const LINES: usize = 4096;

/// The wishes, from a file or from standard input.
pub(crate) enum Input {
    File(File),
    Lines(Lines),
}

/// What a look at the input has found, beside the wishes that the controller has now.
#[derive(Default)]
pub(crate) struct News {
    /// What cannot be used.
    pub(crate) errors: Vec<String>,
    /// `true` at the end of standard input.
    pub(crate) ended: bool,
}

impl Input {
    /// Opens the input, and gives the controller the wishes of a file. Standard input is read
    /// line by line from now on.
    pub(crate) fn open(path: Option<PathBuf>, controller: &mut Controller) -> Result<Self, String> {
        let Some(path) = path else { return Ok(Self::Lines(Lines::read())) };
        let mut file = File { path, looked: Instant::now(), seen: None, used: None };
        let now = file.load();
        file.take(now.clone(), controller)?;
        file.seen = Some(now);
        Ok(Self::File(file))
    }

    /// Looks for new wishes and gives them to the controller. Does not wait.
    pub(crate) fn look(&mut self, controller: &mut Controller) -> News {
        match self {
            Self::File(file) => {
                let errors = file.look(controller).err().into_iter().collect();
                News { errors, ended: false }
            }
            Self::Lines(lines) => lines.look(controller),
        }
    }
}

type Content = Result<Vec<u8>, String>;

pub(crate) struct File {
    path: PathBuf,
    looked: Instant,
    /// The content at the last look.
    seen: Option<Content>,
    /// The content that was used or refused last.
    used: Option<Content>,
}

impl File {
    fn look(&mut self, controller: &mut Controller) -> Result<(), String> {
        if self.looked.elapsed() < PAUSE {
            return Ok(());
        }
        self.looked = Instant::now();
        let now = self.load();
        // Wait for two equal looks: an editor may still be writing the file.
        let stable = self.seen.as_ref() == Some(&now);
        let done = match stable && self.used.as_ref() != Some(&now) {
            true => self.take(now.clone(), controller),
            false => Ok(()),
        };
        self.seen = Some(now);
        done
    }

    fn load(&self) -> Content {
        let mut text = Vec::new();
        let read = fs::File::open(&self.path)
            .and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut text));
        let name = self.path.display();
        match read {
            Err(error) => Err(format!("{name}: {error}")),
            Ok(_) if text.len() as u64 > LONGEST_FILE => Err(format!("{name}: too long")),
            Ok(_) => Ok(text),
        }
    }

    /// Wishes what the file says. A file with a mistake changes no wish.
    fn take(&mut self, now: Content, controller: &mut Controller) -> Result<(), String> {
        self.used = Some(now.clone());
        let text = now?;
        let name = self.path.display();
        let mut table = Table::new();
        let mut count = 0;
        for changed in commands::run(&text, &mut table) {
            changed.map_err(|error| format!("{name}: {error}"))?;
            count += 1;
        }
        if count == 0 {
            // Another program may be writing the file.
            return Err(format!("{name}: no command; to wish an empty table, write -C"));
        }
        controller.wish_all(table);
        Ok(())
    }
}

/// The lines of standard input, which a thread reads.
pub(crate) struct Lines {
    lines: Receiver<io::Result<Vec<u8>>>,
    number: usize,
    table: Table,
}

impl Lines {
    fn read() -> Self {
        let (sender, lines) = sync_channel(LINES);
        thread::spawn(move || {
            let mut input = io::stdin().lock();
            while let Some(line) = next_line(&mut input).transpose() {
                let failed = line.is_err();
                if sender.send(line).is_err() || failed {
                    break;
                }
            }
        });
        Self { lines, number: 0, table: Table::new() }
    }

    fn look(&mut self, controller: &mut Controller) -> News {
        let mut news = News::default();
        let mut changed = BTreeSet::new();
        for _ in 0..LINES {
            let line = match self.lines.try_recv() {
                Ok(Ok(line)) => line,
                Ok(Err(error)) => {
                    news.errors.push(format!("standard input: {error}"));
                    continue;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => {
                    news.ended = true;
                    break;
                }
            };
            self.number += 1;
            for done in commands::run(&line, &mut self.table) {
                match done {
                    Ok(Changed::Service(id)) => drop(changed.insert(id)),
                    Ok(Changed::Everything) => {
                        changed.clear();
                        controller.wish_all(Vec::<Wish>::new());
                    }
                    // The text is one line.
                    Err(error) => {
                        let error = error.strip_prefix("line 1").unwrap_or(&error);
                        news.errors.push(format!("line {}{error}", self.number));
                    }
                }
            }
        }
        for id in changed {
            match self.table.get(id) {
                Some(service) => controller.wish(service.clone()),
                None => controller.forget(id),
            }
        }
        news
    }
}

/// Reads a line without its end. The end of a line that is too long is left out.
fn next_line(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    // One more, so that the line is seen to be too long.
    let most = LONGEST_LINE as u64 + 1;
    let mut line = Vec::new();
    let mut read = input.take(most).read_until(b'\n', &mut line)?;
    if read == 0 {
        return Ok(None);
    }
    let mut rest = Vec::new();
    while read as u64 == most && line.last() != Some(&b'\n') && rest.last() != Some(&b'\n') {
        rest.clear();
        read = input.take(most).read_until(b'\n', &mut rest)?;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(Some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_one_line() {
        let long = "x".repeat(3 * LONGEST_LINE);
        let text = format!("one\n{long}\ntwo\n\nthree");
        let mut input = text.as_bytes();
        let mut lengths = Vec::new();
        while let Some(line) = next_line(&mut input).unwrap() {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [3, LONGEST_LINE + 1, 3, 0, 5]);
    }
}
