//! Sockets of datagrams, and what ICMP says about them.

use std::io;
use std::net::SocketAddr;

use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use socket2::Socket;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// A socket of UDP or ICMP that only its peer's datagrams reach, and that reports every ICMP
/// error.
pub(super) struct Datagrams(UdpSocket);

impl Datagrams {
    /// Connects a socket to who answers.
    pub(super) fn connect(socket: Socket, peer: SocketAddr) -> io::Result<Self> {
        // Without this the kernel reports an unreachable port, but no unreachable host.
        match peer {
            SocketAddr::V4(_) => setsockopt(&socket, Ipv4RecvErr, &true)?,
            SocketAddr::V6(_) => setsockopt(&socket, Ipv6RecvErr, &true)?,
        }
        socket.connect(&peer.into())?;
        UdpSocket::from_std(socket.into()).map(Self)
    }

    pub(super) async fn send(&self, datagram: &[u8], target: SocketAddr) -> io::Result<()> {
        self.0.send_to(datagram, target).await.map(drop)
    }

    /// Receives a datagram, cut off at `most` bytes, or the error that ICMP reports. Many checks may
    /// wait, so memory is taken only when something is there.
    pub(super) async fn receive(&self, most: usize) -> io::Result<Vec<u8>> {
        // `UdpSocket::recv` waits for data alone: where the kernel tells of an error and has no
        // data, it sleeps.
        let interest = Interest::READABLE | Interest::ERROR;
        let receive = || {
            let mut datagram = vec![0; most];
            let (length, _) = recv(&self.0, &mut datagram[..], RecvFlags::empty())?;
            datagram.truncate(length);
            Ok(datagram)
        };
        self.0.async_io(interest, receive).await
    }
}

/// Says why nothing came.
pub(super) fn reason(error: &io::Error) -> String {
    let name = match error.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::CONNREFUSED) => "port unreachable",
        Some(Errno::HOSTUNREACH) => "host unreachable",
        Some(Errno::HOSTDOWN) => "host unknown",
        Some(Errno::NETUNREACH) => "network unreachable",
        Some(Errno::NOPROTOOPT) => "protocol unreachable",
        Some(Errno::ACCESS | Errno::PERM) => "prohibited",
        _ => return error.to_string(),
    };
    format!("{name}: {error}")
}
