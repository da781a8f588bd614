use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

/// Wakes a program that waits for several things at once.
#[derive(Clone, Debug)]
pub struct Bell {
    rope: Arc<UnixStream>,
    ear: Arc<UnixStream>,
}

impl Bell {
    /// Makes a bell.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    pub fn new() -> io::Result<Self> {
        let (rope, ear) = UnixStream::pair()?;
        rope.set_nonblocking(true)?;
        ear.set_nonblocking(true)?;
        Ok(Self { rope: Arc::new(rope), ear: Arc::new(ear) })
    }

    /// Rings. A bell that rings already stays as it is.
    pub fn ring(&self) {
        let _ = (&*self.rope).write(&[0]);
    }

    /// Ends the ringing.
    pub fn silence(&self) {
        let mut bytes = [0; 64];
        while (&*self.ear).read(&mut bytes).is_ok_and(|read| read > 0) {}
    }

    /// Another rope, for handlers of signals.
    ///
    /// # Errors
    ///
    /// No descriptor is left.
    pub fn rope(&self) -> io::Result<UnixStream> {
        self.rope.try_clone()
    }
}

impl AsFd for Bell {
    /// It is readable while the bell rings.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }
}
