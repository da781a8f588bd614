//! Compares lists of connections, counters and rates, with real traffic.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::thread::{self, sleep};
use std::time::Duration;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrStorage, connect, setsockopt, socket, sockopt,
};

use crate::namespace::{fresh, ip, ipvsadm};
use crate::places::{LONG, with_names};
use crate::programs::{same, same_meanwhile};
use crate::tables::make;

/// Starts a server that reads everything and answers nothing.
fn serve(address: &str) {
    let listener = TcpListener::bind(address).unwrap();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            thread::spawn(move || {
                let mut buffer = vec![0; 1 << 20];
                while connection.read(&mut buffer).is_ok_and(|count| count > 0) {}
            });
        }
    });
}

/// Opens a TCP connection to `to` and sends `count` bytes.
fn send(to: &str, count: usize) -> TcpStream {
    let mut connection = TcpStream::connect(to).unwrap();
    let piece = vec![0; 1 << 16];
    let mut left = count;
    while left > 0 {
        left -= connection.write(&piece[..left.min(piece.len())]).unwrap();
    }
    connection
}

/// Opens a TCP connection whose packets carry a firewall mark.
fn marked(mark: u32, to: &str) -> TcpStream {
    let (family, kind) = (AddressFamily::Inet, SockType::Stream);
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None).unwrap();
    setsockopt(&socket, sockopt::Mark, &mark).unwrap();
    let to: SocketAddr = to.parse().unwrap();
    connect(socket.as_raw_fd(), &SockaddrStorage::from(to)).unwrap();
    socket.into()
}

/// Makes a namespace with names and with addresses of its own.
fn network() {
    fresh();
    with_names(LONG);
    ip("address add 2001:db8::1/128 dev lo nodad");
    ip("address add 2001:db8::2/128 dev lo nodad");
}

#[test]
fn connections_are_listed_alike() {
    network();
    make(&[
        "-A -t 127.0.0.80:80 -s rr",
        "-a -t 127.0.0.80:80 -r 127.0.0.1:8000 -m",
        "-A -t 127.0.0.81:80 -s rr -p 5000",
        "-a -t 127.0.0.81:80 -r 127.0.0.1:8000 -m",
        "-A -t [2001:db8::1]:80 -s rr",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2]:8000 -m",
        "-A -u 127.0.0.80:53 -s rr",
        "-a -u 127.0.0.80:53 -r 127.0.0.1:8000 -m",
        "-A -u 127.0.0.80:5060 -s rr -p 600 --pe sip",
        "-a -u 127.0.0.80:5060 -r 127.0.0.1:8000 -m",
        "-A -f 7 -s rr -p 7000",
        "-a -f 7 -r 127.0.0.1:8000 -m",
    ]);
    for address in ["127.0.0.1:80", "127.0.0.1:8000", "[2001:db8::2]:8000"] {
        serve(address);
    }
    let mut open = Vec::new();
    for to in ["127.0.0.80:80", "127.0.0.81:80", "[2001:db8::1]:80"] {
        open.push(send(to, 10));
        send(to, 10).shutdown(Shutdown::Both).unwrap();
    }
    open.push(marked(7, "127.0.0.90:80"));
    let datagrams = UdpSocket::bind("127.0.0.1:0").unwrap();
    datagrams.send_to(b"question", "127.0.0.80:53").unwrap();
    let call = "INVITE sip:a@example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1\r\n\
                Call-ID: a-call@example\r\nContent-Length: 0\r\n\r\n";
    datagrams.send_to(call.as_bytes(), "127.0.0.80:5060").unwrap();

    for words in ["-L -c", "-L -c -n", "-L -cn --persistent-conn", "-L -c --persistent-conn"] {
        let list = same_meanwhile(words).output;
        assert!(list.lines().count() > 10, "{list}");
    }
    let list = same_meanwhile("-L -c -n --persistent-conn").output;
    for state in
        ["ESTABLISHED", "TIME_WAIT", "[2001:db8::1]:80", "UDP", "IP ", "sip", "a-call@example"]
    {
        assert!(list.contains(state), "{state}: {list}");
    }
    for columns in ["", " --stats", " --rate", " --persistent-conn"] {
        same_meanwhile(&format!("-L -n{columns}"));
    }
}

#[test]
fn counters_are_listed_alike() {
    network();
    make(&[
        "-A -t 127.0.0.80:80 -s rr",
        "-a -t 127.0.0.80:80 -r 127.0.0.1:8000 -m",
        "-a -t 127.0.0.80:80 -r 127.0.0.1:8001 -m",
        "-A -t [2001:db8::1]:80 -s rr",
        "-a -t [2001:db8::1]:80 -r [2001:db8::2]:8000 -m",
    ]);
    for address in ["127.0.0.1:8000", "127.0.0.1:8001", "[2001:db8::2]:8000"] {
        serve(address);
    }
    send("127.0.0.80:80", 10);
    send("127.0.0.80:80", 120_000_000);
    send("[2001:db8::1]:80", 1_100_000_000);
    for _ in 0..3 {
        for columns in [" --stats", " --rate", " --exact --stats", " -X --rate"] {
            same_meanwhile(&format!("-L -n{columns}"));
            same_meanwhile(&format!("-L -t 127.0.0.80:80{columns}"));
        }
        sleep(Duration::from_secs(1));
    }
    let stats = same("-L -n --stats").output;
    for unit in ["K", "M"] {
        assert!(stats.contains(&format!("{unit} ")), "{stats}");
    }
    for words in ["-L -n --stats --exact", "-L --stats -X", "-L --stats --nosort"] {
        same(words);
    }
    ipvsadm("-Z");
    same("-L -n --stats");
}
