use std::io;

use rustix::rand::{GetRandomFlags, getrandom};

/// Returns random bytes that nobody can guess, such as the identifier of a query.
pub(super) fn nonce<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = getrandom(&mut bytes[..], GetRandomFlags::empty())?;
    // Up to 256 bytes come at once.
    if filled == N { Ok(bytes) } else { Err(io::ErrorKind::Interrupted.into()) }
}
