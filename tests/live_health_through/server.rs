//! Servers that note who has connected.

use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::network::Namespace;

/// The connections of a server: its port and the client.
pub(crate) type Visits = Arc<Mutex<Vec<(u16, SocketAddr)>>>;

/// Accepts connections at all addresses of a host, both families, and answers datagrams.
pub(crate) fn serve(host: &Namespace, tcp: &[u16], udp: &[u16]) -> Visits {
    let visits = Visits::default();
    let any = |port: &u16| SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port));
    let opened = host.run(|| {
        let listeners: Vec<_> =
            tcp.iter().map(|port| TcpListener::bind(any(port))).collect::<Result<_, _>>()?;
        let mut sockets = Vec::new();
        for port in udp {
            // An answer has to come from the address to which the datagram went, and only a socket
            // of that address does that by itself: see `answer_at`.
            sockets.push(UdpSocket::bind(any(port))?);
        }
        Ok((listeners, sockets))
    });
    let (listeners, sockets) = opened.unwrap();
    let noted = Arc::clone(&visits);
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for listener in listeners {
                let port = listener.local_addr().unwrap().port();
                listener.set_nonblocking(true).unwrap();
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let noted = Arc::clone(&noted);
                tokio::spawn(async move {
                    loop {
                        if let Ok((_, peer)) = listener.accept().await {
                            noted.lock().unwrap().push((port, peer));
                        }
                    }
                });
            }
            for socket in sockets {
                tokio::spawn(echo(socket));
            }
            std::future::pending::<()>().await;
        });
    });
    visits
}

/// Answers datagrams at one address of a host.
pub(crate) fn answer_at(host: &Namespace, address: SocketAddr) {
    let socket = host.run(|| UdpSocket::bind(address)).unwrap();
    thread::spawn(move || {
        let mut datagram = [0; 64];
        while let Ok((length, from)) = socket.recv_from(&mut datagram) {
            let _ = socket.send_to(&datagram[..length], from);
        }
    });
}

async fn echo(socket: UdpSocket) {
    socket.set_nonblocking(true).unwrap();
    let socket = tokio::net::UdpSocket::from_std(socket).unwrap();
    let mut datagram = [0; 64];
    loop {
        if let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            let _ = socket.send_to(&datagram[..length], from).await;
        }
    }
}
