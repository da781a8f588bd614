//! `-L -c`: the connections, which the kernel tells in /proc alone.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipvs_netlink::Protocol;

use crate::failure::Failure;
use crate::names::Names;

/// The connections of this network namespace.
const FILE: &str = "/proc/net/ip_vs_conn";

/// A line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Connection<'l> {
    protocol: &'l str,
    client: SocketAddr,
    service: SocketAddr,
    destination: SocketAddr,
    state: &'l str,
    /// In so many seconds, if nothing more comes.
    expires: u64,
    /// Name and data of the persistence engine that made it.
    engine: Option<(&'l str, &'l str)>,
}

pub(crate) fn print(
    out: &mut impl Write,
    engine_data: bool,
    names: &mut Names,
) -> Result<(), Failure> {
    let unread = |error| Failure::list(format!("{FILE}: {error}"));
    let mut file = BufReader::new(File::open(FILE).map_err(unread)?);
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line).map_err(unread)?;
    writeln!(out, "IPVS connection entries")?;
    let title = "pro expire state       source             virtual            destination";
    match engine_data {
        true => writeln!(out, "{title}        pe name          pe_data")?,
        false => writeln!(out, "{title}")?,
    }
    let mut odd = Ok(());
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(unread)? == 0 {
            return odd;
        }
        let text = plain(&line);
        match parse(&text) {
            Some(connection) => write(out, &connection, engine_data, names)?,
            None => odd = Err(Failure::list(format!("{FILE}: not understood: {text:?}"))),
        }
    }
}

fn write(
    out: &mut impl Write,
    connection: &Connection<'_>,
    engine_data: bool,
    names: &mut Names,
) -> Result<(), Failure> {
    let Connection { protocol, state, expires, .. } = connection;
    let ports = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];
    let ports = ports.into_iter().find(|known| known.to_string() == *protocol);
    let [client, service, destination] =
        [connection.client, connection.service, connection.destination]
            .map(|address| names.cut(address, ports));
    let expires = format!("{:02}:{:02}", expires / 60, expires % 60);
    write!(out, "{protocol:<3} {expires:<6} {state:<11} {client:<18} {service:<18} ")?;
    match connection.engine {
        Some((engine, data)) if engine_data => {
            writeln!(out, "{destination:<16} {engine:<18} {data}")?;
        }
        _ => writeln!(out, "{destination}")?,
    }
    Ok(())
}

/// The line as a terminal may show it: what engines remember comes from the network and
/// may be any bytes.
fn plain(line: &[u8]) -> String {
    let visible = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => char::REPLACEMENT_CHARACTER,
    };
    line.strip_suffix(b"\n").unwrap_or(line).iter().map(visible).collect()
}

/// Takes a line apart.
fn parse(line: &str) -> Option<Connection<'_>> {
    let mut rest = line;
    let mut word = || {
        let text = rest.trim_start_matches(' ');
        let (word, left) = text.split_once(' ').unwrap_or((text, ""));
        rest = left;
        Some(word).filter(|word| !word.is_empty())
    };
    let protocol = word()?;
    let mut address = || Some(SocketAddr::new(host(word()?)?, hexadecimal(word()?)?));
    let (client, service, destination) = (address()?, address()?, address()?);
    let state = word()?;
    let expires = word()?.parse().ok()?;
    // What follows the name of the engine is its data, with whatever blanks.
    let engine = word().map(|name| (name, rest)).filter(|(_, data)| !data.is_empty());
    Some(Connection { protocol, client, service, destination, state, expires, engine })
}

/// IPv4 addresses are written as hexadecimal numbers, IPv6 addresses as such.
fn host(word: &str) -> Option<IpAddr> {
    match word.parse() {
        Ok(address) => Some(address),
        Err(_) => Some(Ipv4Addr::from_bits(hexadecimal(word)?).into()),
    }
}

fn hexadecimal<N: TryFrom<u32>>(word: &str) -> Option<N> {
    let plain = word.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u32::from_str_radix(word, 16).ok()?.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_line_is_understood() {
        let line =
            b"UDP 7F000001 EFFC 7F000050 13C4 7F000001 1F40 UDP             298 sip a b@\x1b[2J\n";
        let line = plain(line);
        let connection = parse(&line).unwrap();
        assert_eq!(connection.client, "127.0.0.1:61436".parse().unwrap());
        assert_eq!(connection.state, "UDP");
        assert_eq!(connection.engine, Some(("sip", "a b@\u{fffd}[2J")));
        let line = "TCP 2001:0db8:0000:0000:0000:0000:0000:0001 0001 \
                    2001:0db8:0000:0000:0000:0000:0000:0002 0050 0A000001 0000 NONE 59";
        let connection = parse(line).unwrap();
        assert_eq!(connection.service, "[2001:db8::2]:80".parse().unwrap());
        assert_eq!(connection.destination, "10.0.0.1:0".parse().unwrap());
        assert_eq!((connection.expires, connection.engine), (59, None));
        for odd in ["", "TCP", "TCP 0 0 0 0 0 10000 NONE 5", "TCP x 0 0 0 0 0 NONE 5"] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
