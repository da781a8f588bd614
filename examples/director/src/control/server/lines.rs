//! Reads lines of bounded length.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time;

use crate::control::limits::Limits;
use crate::control::problem::Problem;

/// Reads the lines of one client.
#[derive(Debug)]
pub(super) struct Lines {
    /// What has come and is not taken yet, less than a line and one reading.
    buffer: Vec<u8>,
    most: usize,
    time: Duration,
}

impl Lines {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self { buffer: Vec::new(), most: limits.request, time: limits.request_time }
    }

    /// Returns the next line without its end, or `None` at the end of the connection. The client has
    /// the whole time again for each line. What comes without the end of a line is no line.
    pub(super) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Vec<u8>>, Problem> {
        let limit = Problem::TooSlow(self.time.as_secs());
        time::timeout(self.time, self.read(stream)).await.unwrap_or(Err(limit))
    }

    async fn read(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Vec<u8>>, Problem> {
        loop {
            let end = self.buffer.iter().take(self.most + 1).position(|byte| *byte == b'\n');
            if let Some(end) = end {
                let rest = self.buffer.split_off(end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Some(line));
            }
            if self.buffer.len() > self.most {
                return Err(Problem::TooLong(self.most));
            }
            let missing = self.most + 1 - self.buffer.len();
            let mut piece = [0; 1024];
            let piece = piece.get_mut(..missing.min(1024)).unwrap_or_default();
            // A connection that fails has ended.
            let read = stream.read(piece).await.unwrap_or(0);
            if read == 0 {
                return Ok(None);
            }
            self.buffer.extend_from_slice(piece.get(..read).unwrap_or_default());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { request: 10, ..Limits::DAEMON };

    async fn read(text: &[u8]) -> Vec<Result<Option<Vec<u8>>, Problem>> {
        let (mut lines, mut stream) = (Lines::new(&LIMITS), text);
        let mut read = Vec::new();
        loop {
            read.push(lines.next(&mut stream).await);
            if !matches!(read.last(), Some(Ok(Some(_)))) {
                return read;
            }
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn lines_are_divided_at_their_ends_only() {
        let line = |text: &str| Ok(Some(text.as_bytes().to_vec()));
        assert_eq!(read(b"").await, [Ok(None)]);
        assert_eq!(read(b"one\n\ntwo").await, [line("one"), line(""), Ok(None)]);
        assert_eq!(read(b"1234567890\nx\n").await, [line("1234567890"), line("x"), Ok(None)]);
        assert_eq!(read(b"12345678901\n").await, [Err(Problem::TooLong(10))]);
        assert_eq!(read(&[7; 100_000]).await, [Err(Problem::TooLong(10))]);
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn half_a_line_has_its_time() {
        let (mut near, far) = tokio::io::duplex(64);
        let mut lines = Lines::new(&LIMITS);
        tokio::io::AsyncWriteExt::write_all(&mut { far }, b"half").await.unwrap();
        // The other end is closed: there is no line.
        assert_eq!(lines.next(&mut near).await, Ok(None));
        let (mut near, _far) = tokio::io::duplex(64);
        assert_eq!(lines.next(&mut near).await, Err(Problem::TooSlow(10)));
    }
}
