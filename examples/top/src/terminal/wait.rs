use std::io;
use std::os::fd::AsFd as _;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::reading::Bell;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    /// There is something to read from the terminal.
    pub keys: bool,
    /// The terminal is gone.
    pub gone: bool,
}

/// Waits for keys, for the bell, or until the time is up.
///
/// # Errors
///
/// The system cannot wait.
pub fn wait(bell: &Bell, longest: Duration) -> io::Result<Woken> {
    let stdin = io::stdin();
    let mut descriptors = [
        PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN),
        PollFd::from_borrowed_fd(bell.as_fd(), PollFlags::IN),
    ];
    let time = Timespec::try_from(longest).map_err(io::Error::other)?;
    match poll(&mut descriptors, Some(&time)) {
        Ok(_) => {}
        // A signal: its bell rings.
        Err(Errno::INTR) => return Ok(Woken::default()),
        Err(error) => return Err(error.into()),
    }
    let [keys, rings] = descriptors.map(|it| it.revents());
    if !rings.is_empty() {
        bell.silence();
    }
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    Ok(Woken { keys: keys.contains(PollFlags::IN), gone: keys.intersects(gone) })
}

/// Reads what the terminal has sent. Call it only if there is something, or it waits. Returns 0 bytes at
/// the end.
///
/// # Errors
///
/// The terminal fails, as one that is gone does.
pub fn read(buffer: &mut [u8]) -> io::Result<&[u8]> {
    // Past the buffer of the standard library, which `poll` does not see.
    let read = match rustix::io::read(io::stdin(), &mut *buffer) {
        Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Ok(read) => read,
        Err(Errno::INTR | Errno::AGAIN) => 0,
        Err(error) => return Err(error.into()),
    };
    Ok(buffer.get(..read).unwrap_or_default())
}
