//! The last requests, as they came.

use std::collections::VecDeque;
use std::time::Instant;

/// How many requests are kept at first.
const LENGTH: usize = 256;

/// A request as it came.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) number: u64,
    pub(super) at: Instant,
    pub(super) space: usize,
    pub(super) family: Option<u16>,
    pub(super) bytes: Vec<u8>,
}

/// The last requests. A full log takes no new memory.
#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<Entry>,
    length: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self { entries: VecDeque::new(), length: LENGTH }
    }
}

impl Log {
    pub(super) fn resize(&mut self, length: usize) {
        self.length = length;
        while self.entries.len() > length {
            self.entries.pop_front();
        }
        self.entries.shrink_to(length);
    }

    pub(super) fn note(
        &mut self,
        (number, at): (u64, Instant),
        space: usize,
        family: Option<u16>,
        message: &[u8],
    ) {
        if self.length == 0 {
            return;
        }
        let mut bytes = if self.entries.len() >= self.length {
            self.entries.pop_front().map(|entry| entry.bytes).unwrap_or_default()
        } else {
            Vec::new()
        };
        bytes.clear();
        bytes.extend_from_slice(message);
        self.entries.push_back(Entry { number, at, space, family, bytes });
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }
}
