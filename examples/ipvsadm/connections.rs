//! The list of connections, `-L -c`. The kernel reports connections in /proc only.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipvs_netlink::Protocol;

use crate::failure::Failure;
use crate::names::Names;

/// The kernel's list of the connections of this network namespace.
const FILE: &str = "/proc/net/ip_vs_conn";

/// A connection: a line of the file.
#[derive(Debug, PartialEq, Eq)]
struct Connection<'l> {
    protocol: &'l str,
    client: SocketAddr,
    service: SocketAddr,
    destination: SocketAddr,
    state: &'l str,
    /// Seconds after which the connection expires if no packet comes.
    expires: u64,
    /// Name and data of the persistence engine that made the connection.
    engine: Option<(&'l str, &'l str)>,
}

pub(crate) fn print(
    out: &mut impl Write,
    engine_data: bool,
    names: &mut Names,
) -> Result<(), Failure> {
    let not_read = |error| Failure::list(format!("{FILE}: {error}"));
    let mut file = BufReader::new(File::open(FILE).map_err(not_read)?);
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line).map_err(not_read)?;
    writeln!(out, "IPVS connection entries")?;
    let title = "pro expire state       source             virtual            destination";
    match engine_data {
        true => writeln!(out, "{title}        pe name          pe_data")?,
        false => writeln!(out, "{title}")?,
    }
    let mut result = Ok(());
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line).map_err(not_read)? == 0 {
            return result;
        }
        let text = plain(&line);
        match parse(&text) {
            Some(connection) => write(out, &connection, engine_data, names)?,
            None => result = Err(Failure::list(format!("{FILE}: unknown form of line: {text:?}"))),
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

/// Replaces bytes that a terminal must not get. The data of persistence engines comes from the
/// network and can be any bytes.
fn plain(line: &[u8]) -> String {
    let visible = |byte: &u8| match byte {
        b' '..=b'~' => char::from(*byte),
        _ => char::REPLACEMENT_CHARACTER,
    };
    line.strip_suffix(b"\n").unwrap_or(line).iter().map(visible).collect()
}

/// Parses a line. `None` if the line has another form.
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
    // The rest of the line is the data of the engine, which may have blanks.
    let engine = word().map(|name| (name, rest)).filter(|(_, data)| !data.is_empty());
    Some(Connection { protocol, client, service, destination, state, expires, engine })
}

/// Parses an address. The kernel writes an IPv4 address as a hexadecimal number, and an IPv6
/// address in the usual form.
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
    fn every_kind_of_line_is_parsed() {
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
