//! Servers that answer, and clients that come again and again, now more and now less often.

use std::collections::VecDeque;
use std::f64::consts::TAU;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};
use std::{io, mem};

use ipvs_netlink::{Protocol, ServiceId};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, bind, setsockopt, socket, sockopt,
};

use super::greeting::{Connection, serve as serve_tcp};
use super::network::{Network, client_addresses, virtual_addresses};
use super::table::MARKED_PORT;

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The time from one rush hour to the next, in seconds.
const DAY: f64 = 24.0;

/// How busy a service is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Connections a second, on the average.
    pub(super) per_second: f64,
    /// How long each lasts.
    pub(super) hold: Duration,
    /// How long an answer is.
    pub(super) bytes: usize,
}

/// A server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    /// The number of the server's host.
    pub(super) number: u8,
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) is_udp: bool,
    /// How long its answers are.
    pub(super) bytes: usize,
}

/// Starts a server, which works until the process ends.
pub(super) fn serve(network: &Network, server: &Server) -> io::Result<()> {
    let Some(home) = network.servers.get(usize::from(server.number)) else {
        return Err(io::ErrorKind::NotFound.into());
    };
    let answer = "x".repeat(server.bytes);
    if !server.is_udp {
        // Dropping it would end it.
        mem::forget(serve_tcp(home, server.address, &answer)?);
        return Ok(());
    }
    let socket = home.run(|| UdpSocket::bind(server.address))?;
    let work = move || {
        let mut question = [0; 512];
        loop {
            // The client may be gone.
            if let Ok((_, client)) = socket.recv_from(&mut question) {
                let _ = socket.send_to(answer.as_bytes(), client);
            }
        }
    };
    thread::Builder::new().name("server".to_owned()).spawn(work)?;
    Ok(())
}

/// Clients of one service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) service: ServiceId,
    pub(super) pace: Pace,
}

impl Flow {
    /// Visits the service for ever.
    pub(super) fn run(&self, network: &Network) -> io::Result<()> {
        let home = match self.service {
            ServiceId::Address { .. } => &network.client,
            // A mark does not leave the host that sets it.
            ServiceId::Fwmark { .. } => &network.director,
        };
        home.run(|| {
            let begun = Instant::now();
            let mut open = VecDeque::new();
            for number in (0..6).cycle() {
                while open.front().is_some_and(|(end, _)| *end <= Instant::now()) {
                    open.pop_front();
                }
                // A service may refuse its clients for a while, as an operator wants.
                if let Ok(Some(connection)) = self.visit(number) {
                    open.push_back((Instant::now() + self.pace.hold, connection));
                }
                sleep(Duration::from_secs_f64(1.0 / self.rate(begun.elapsed())));
            }
            Ok(())
        })
    }

    /// Visits a second, after so much time.
    fn rate(&self, time: Duration) -> f64 {
        let wave = (TAU * time.as_secs_f64() / DAY + self.pace.per_second).sin();
        self.pace.per_second * (1.0 + 0.7 * wave)
    }

    /// Comes as the client with this number. Returns the connection, if there is one.
    fn visit(&self, number: u8) -> io::Result<Option<Connection>> {
        let clients = client_addresses(number);
        let (from, to, mark) = match self.service {
            ServiceId::Address { address, .. } if address.is_ipv4() => (clients.v4, address, None),
            ServiceId::Address { address, .. } => (clients.v6, address, None),
            ServiceId::Fwmark { mark, .. } => {
                let to = SocketAddr::new(virtual_addresses(2).v4, MARKED_PORT);
                (virtual_addresses(2).v4, to, Some(mark))
            }
        };
        let from = SocketAddr::new(from, 0);
        if matches!(self.service, ServiceId::Address { protocol: Protocol::UDP, .. }) {
            let socket = UdpSocket::bind(from)?;
            socket.set_read_timeout(Some(PATIENCE))?;
            socket.send_to(b"who is there?", to)?;
            socket.recv(&mut [0; 512])?;
            return Ok(None);
        }
        let family = if from.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        if let Some(mark) = mark {
            setsockopt(&socket, sockopt::Mark, &mark)?;
        }
        bind(socket.as_raw_fd(), &SockaddrStorage::from(from))?;
        Connection::over(socket, to, PATIENCE).map(Some)
    }
}
