//! Servers that note who has connected.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::network::Namespace;

/// The connections of a server: its port and the client.
pub(crate) type Visits = Arc<Mutex<Vec<(u16, SocketAddr)>>>;

/// Accepts connections at all addresses of a host, of both families.
pub(crate) fn serve(host: &Namespace, ports: &[u16]) -> Visits {
    let visits = Visits::default();
    let listen = |port: &u16| TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port));
    let opened = host.run(|| ports.iter().map(listen).collect::<Result<Vec<_>, _>>());
    let listeners = opened.unwrap();
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

/// Answers requests of HTTP. Notes the hosts that are asked for.
pub(crate) fn speak_http(host: &Namespace, port: u16) -> Arc<Mutex<Vec<String>>> {
    let hosts: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&hosts);
    let listener = host.run(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))).unwrap();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let lines = BufReader::new(connection.try_clone().unwrap()).lines();
            for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
                let line = line.to_lowercase();
                noted.lock().unwrap().extend(Some(line).filter(|line| line.starts_with("host:")));
            }
            let _ = connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    hosts
}
