//! The traffic: TCP servers that answer every line with their name.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{self, IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, OwnedFd};
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Shutdown, SockFlag, SockType, SockaddrStorage, bind, connect, shutdown, socket,
};

use super::network::Namespace;

/// A server that works until it is dropped.
#[derive(Debug)]
#[must_use]
pub(crate) struct Server(TcpListener);

impl Drop for Server {
    fn drop(&mut self) {
        // End the wait of the server's thread.
        let _ = shutdown(self.0.as_raw_fd(), Shutdown::Both);
    }
}

/// Starts a server in `namespace`.
pub(crate) fn serve(namespace: &Namespace, address: SocketAddr, name: &str) -> io::Result<Server> {
    serve_on(namespace.run(|| TcpListener::bind(address))?, name)
}

/// Starts a server on a socket that listens.
pub(crate) fn serve_on(listener: TcpListener, name: &str) -> io::Result<Server> {
    let server = Server(listener.try_clone()?);
    let name = format!("{name}\n");
    thread::Builder::new().spawn(move || {
        for connection in listener.incoming().map_while(Result::ok) {
            let name = name.clone();
            thread::spawn(move || answer(connection, &name));
        }
    })?;
    Ok(server)
}

fn answer(mut connection: TcpStream, name: &str) -> io::Result<()> {
    for line in BufReader::new(connection.try_clone()?).lines() {
        line?;
        connection.write_all(name.as_bytes())?;
    }
    Ok(())
}

/// A client's connection, open until it is dropped.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
    /// The name of the server at the other end.
    pub(crate) server: String,
}

impl Connection {
    /// Connects from one of the addresses of `namespace`, and asks the server for its name. The
    /// timeout holds for connecting and for every later answer.
    pub(crate) fn open(
        namespace: &Namespace,
        from: IpAddr,
        to: SocketAddr,
        patience: Duration,
    ) -> io::Result<Self> {
        let family = if from.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let socket = namespace.run(|| {
            let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
            bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(from, 0)))?;
            Ok(socket)
        })?;
        Self::over(socket, to, patience)
    }

    /// Connects with a socket of the caller, in the same way.
    pub(crate) fn over(socket: OwnedFd, to: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::from(socket);
        // The timeout of writes also limits connecting.
        stream.set_write_timeout(Some(patience))?;
        stream.set_read_timeout(Some(patience))?;
        connect(stream.as_raw_fd(), &SockaddrStorage::from(to)).map_err(|errno| match errno {
            Errno::EINPROGRESS => io::ErrorKind::TimedOut.into(),
            errno => io::Error::from(errno),
        })?;
        let mut connection = Self { stream: BufReader::new(stream), server: String::new() };
        connection.server = connection.ask()?;
        Ok(connection)
    }

    /// Asks the server for its name.
    pub(crate) fn ask(&mut self) -> io::Result<String> {
        let mut name = String::new();
        self.stream.get_mut().write_all(b"who is there?\n")?;
        self.stream.read_line(&mut name)?;
        match name.trim_end() {
            "" => Err(io::ErrorKind::UnexpectedEof.into()),
            name => Ok(name.to_owned()),
        }
    }

    /// Closes the connection and waits until the server has closed its end.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        self.stream.get_mut().shutdown(net::Shutdown::Write)?;
        self.stream.read_to_end(&mut Vec::new()).map(drop)
    }
}
