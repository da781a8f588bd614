//! Echo requests by ICMP.

use std::io;
use std::net::SocketAddr;

use rustix::io::Errno;
use socket2::{Protocol, Socket, Type};

use crate::health::Outcome;
use crate::health::probe::datagrams::{Datagrams, reason};
use crate::health::probe::{Origin, nonce, ours};

/// The most datagrams that are looked at for one reply. A raw socket gets all ICMP of the target.
const MOST: usize = 4096;

/// The random bytes in a request, which its reply must have.
const PAYLOAD: usize = 24;

/// The type, code, checksum, identifier and sequence number.
const HEADER: usize = 8;

/// Sends an echo request and waits for its reply.
pub(super) async fn check(mut target: SocketAddr, origin: &Origin) -> Outcome {
    target.set_port(0);
    match echo(target, origin).await {
        Ok(true) => Outcome::passed(),
        Ok(false) => Outcome::failed(format!("{MOST} datagrams and no reply among them")),
        Err(error) => ours::outcome(&error, reason(&error)),
    }
}

async fn echo(target: SocketAddr, origin: &Origin) -> io::Result<bool> {
    let (socket, kind) = open(target, origin).map_err(ours::ours)?;
    let socket = Datagrams::connect(socket, target)?;
    let echo = Echo { kind, ipv6: target.is_ipv6(), secret: nonce()? };
    socket.send(&echo.request(), target).await?;
    for _ in 0..MOST {
        if echo.is_reply(&socket.receive(256).await?) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Opens a ping socket or, where the group of the process may not, a raw one.
fn open(target: SocketAddr, origin: &Origin) -> io::Result<(Socket, Kind)> {
    let protocol = if target.is_ipv4() { Protocol::ICMPV4 } else { Protocol::ICMPV6 };
    let open = |kind| origin.socket_of(target, kind, protocol);
    let refused = match open(Type::DGRAM) {
        Ok(socket) => return Ok((socket, Kind::Ping)),
        Err(refused) => refused,
    };
    let is = |error: &io::Error, errno: Errno| error.raw_os_error() == Some(errno.raw_os_error());
    if !is(&refused, Errno::ACCESS) && !is(&refused, Errno::PROTONOSUPPORT) {
        return Err(refused);
    }
    match open(Type::RAW) {
        Ok(socket) => Ok((socket, Kind::Raw)),
        Err(error) if is(&error, Errno::PERM) => Err(io::Error::new(
            error.kind(),
            "the group of the process is not in net.ipv4.ping_group_range, and a raw socket takes \
             CAP_NET_RAW",
        )),
        Err(error) => Err(error),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The kernel chooses the identifier, and delivers only replies with it.
    Ping,
    /// The kernel delivers all that the target sends, in IPv4 with the header of IP.
    Raw,
}

/// A request, and what its reply is known by.
struct Echo {
    kind: Kind,
    ipv6: bool,
    /// The identifier, the sequence number and the payload.
    secret: [u8; 4 + PAYLOAD],
}

impl Echo {
    /// The type of the request, and that of the reply.
    const fn types(&self) -> (u8, u8) {
        if self.ipv6 { (128, 129) } else { (8, 0) }
    }

    fn request(&self) -> Vec<u8> {
        let mut request = vec![self.types().0, 0, 0, 0];
        request.extend(self.secret);
        if !self.ipv6 {
            // Of ICMPv6 the kernel knows the addresses, which the sum covers.
            let sum = checksum(&request);
            request.splice(2..4, sum.to_be_bytes());
        }
        request
    }

    fn is_reply(&self, datagram: &[u8]) -> bool {
        let message = match self.kind {
            Kind::Raw if !self.ipv6 => without_ip(datagram),
            _ => Some(datagram),
        };
        let parts = message.and_then(|message| message.split_at_checked(4));
        let Some(([kind, 0, ..], rest)) = parts else { return false };
        // The kernel has replaced the identifier of a ping socket.
        let known = if self.kind == Kind::Ping { 2 } else { 0 };
        *kind == self.types().1
            && rest.len() == HEADER - 4 + PAYLOAD
            && rest.get(known..) == self.secret.get(known..)
    }
}

/// Returns what follows the header of IPv4.
fn without_ip(datagram: &[u8]) -> Option<&[u8]> {
    let words = usize::from(datagram.first()? & 15);
    datagram.get(words * 4..)
}

/// Returns the checksum of the Internet (RFC 1071) of an even number of bytes.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks_exact(2).map(|pair| match pair {
        [high, low] => u32::from(u16::from_be_bytes([*high, *low])),
        _ => 0,
    });
    let sum = words.fold(0_u32, |sum, word| {
        let sum = sum + word;
        (sum & 0xffff) + (sum >> 16)
    });
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn echo(kind: Kind, ipv6: bool) -> Echo {
        Echo { kind, ipv6, secret: std::array::from_fn(|at| u8::try_from(at).unwrap()) }
    }

    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        // With its own sum in it a message has the sum 0.
        assert_eq!(checksum(&echo(Kind::Raw, false).request()), 0);
    }

    #[test]
    fn only_the_reply_to_this_request_counts() {
        for (kind, ipv6) in
            [(Kind::Ping, false), (Kind::Ping, true), (Kind::Raw, false), (Kind::Raw, true)]
        {
            let echo = echo(kind, ipv6);
            let header: &[u8] = if kind == Kind::Raw && !ipv6 { &[0x46; 24] } else { &[] };
            let mut reply = [header, &echo.request()].concat();
            let begin = header.len();
            assert!(!echo.is_reply(&reply), "the request itself, as a raw socket of lo sees");
            reply[begin] = echo.types().1;
            assert!(echo.is_reply(&reply));
            assert!(!echo.is_reply(&reply[..reply.len() - 1]));
            assert!(!echo.is_reply(&[&*reply, &[0]].concat()));
            for at in begin..reply.len() {
                let mut other = reply.clone();
                other[at] ^= 1;
                let checksum = begin + 2..begin + 4;
                let identifier = begin + 4..begin + 6;
                let free = checksum.contains(&at) || kind == Kind::Ping && identifier.contains(&at);
                assert_eq!(echo.is_reply(&other), free, "byte {at}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_datagram_panics(
            datagram in prop::collection::vec(any::<u8>(), 0..80), raw in any::<bool>(),
            ipv6 in any::<bool>(),
        ) {
            let kind = if raw { Kind::Raw } else { Kind::Ping };
            prop_assert!(!echo(kind, ipv6).is_reply(&datagram));
        }
    }
}
