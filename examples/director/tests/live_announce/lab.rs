//! The network, its servers, and a folder for files.
//!
//! The namespace of the clients is a router with BIRD. The director is its neighbour.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fs, io};

use crate::network::{Namespace, Network, server_addresses};

/// The virtual address. The director has it by nothing but its commands, and by a local route.
pub(crate) const VIP: &str = "198.51.100.10";

pub(crate) struct Lab {
    pub(crate) network: Network,
    pub(crate) folder: PathBuf,
}

impl Lab {
    pub(crate) fn build() -> Self {
        let network = Network::with_servers(2).expect("CAP_SYS_ADMIN");
        let nanos = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
        // The host's disk has the host's user as owner, whom the daemon does not trust.
        let folder = PathBuf::from(format!("/run/director-announce-{nanos}"));
        fs::create_dir(&folder).unwrap();
        // What is under way when the address goes still reaches IPVS.
        ip(&network.director, &format!("route add local {VIP} dev lo"));
        // Only a route that a router has learnt leads to the address. Another way stands for the other
        // director that takes over, and has the connections by synchronization.
        ip(&network.client, "route del default via 10.1.0.1");
        ip(&network.client, &format!("route add {VIP} via 10.1.0.1 metric 1000"));
        Self { network, folder }
    }

    pub(crate) fn serve(&self, n: u8) -> Server {
        let listener = self.network.servers[usize::from(n)].run(|| TcpListener::bind(server(n)));
        Server::start(listener.unwrap())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() {
            for log in ["peer.log", "speaker.log", "exabgp.log"] {
                println!(
                    "{log}:\n{}",
                    fs::read_to_string(self.folder.join(log)).unwrap_or_default()
                );
            }
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Runs iproute2 in a namespace.
pub(crate) fn ip(namespace: &Namespace, arguments: &str) {
    let run = || Command::new("ip").args(arguments.split(' ')).status();
    assert!(namespace.run(run).unwrap().success(), "ip {arguments}");
}

pub(crate) fn server(n: u8) -> SocketAddr {
    (server_addresses(n).v4, 8080).into()
}

/// A server that echoes a byte. It dies with this value.
pub(crate) struct Server {
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(listener: TcpListener) -> Self {
        let ends = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ends);
        listener.set_nonblocking(true).unwrap();
        let thread = thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => drop(thread::spawn(move || echo(stream))),
                    Err(_) => thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Self { ends, thread: Some(thread) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn echo(mut stream: std::net::TcpStream) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    stream.write_all(&byte)
}
