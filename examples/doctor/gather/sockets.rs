//! Reads the sockets that wait for clients.

use std::fs::File;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipvs_netlink::Protocol;

use crate::host::{Gaps, Listener, Part};

/// The state of a TCP socket that listens, and of a UDP socket without a peer.
const LISTENING: &str = "0A";
const UNCONNECTED: &str = "07";
/// The longest part of a file that is read.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Returns the sockets of the thread's network namespace that wait for clients, each address once.
pub(super) fn listeners(unread: &mut Gaps) -> Vec<Listener> {
    let mut found = Vec::new();
    for (file, protocol, state) in [
        ("tcp", Protocol::TCP, LISTENING),
        ("tcp6", Protocol::TCP, LISTENING),
        ("udp", Protocol::UDP, UNCONNECTED),
        ("udp6", Protocol::UDP, UNCONNECTED),
    ] {
        let path = format!("/proc/thread-self/net/{file}");
        match read(&path, state) {
            Ok(addresses) => {
                found.extend(addresses.into_iter().map(|address| Listener { protocol, address }));
            }
            Err(error) => unread.push(Part::Listeners, format!("{path}: {error}")),
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Reads the local addresses of the sockets in a state. The kernel lists TCP sockets that listen
/// before all others (`net/ipv4/tcp_ipv4.c`, `tcp_seq_start`), so the rest is not read.
fn read(path: &str, state: &str) -> Result<Vec<SocketAddr>, String> {
    let file = match File::open(path) {
        // A kernel without IPv6.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        file => file.map_err(|error| error.to_string())?,
    };
    let mut lines = BufReader::new(file.take(LIMIT)).lines().skip(1);
    let mut found = Vec::new();
    let mut length: u64 = 0;
    for line in &mut lines {
        let line = line.map_err(|error| error.to_string())?;
        length += line.len() as u64 + 1;
        let fields: Vec<&str> = line.split_whitespace().take(4).collect();
        let [_, local, _, is] = fields.as_slice() else { continue };
        if *is == state {
            found.push(address(local).ok_or_else(|| format!("a line that is no socket: {line}"))?);
        } else if state == LISTENING {
            return Ok(found);
        }
    }
    if length + 1024 >= LIMIT {
        return Err("longer than 16 MiB".to_owned());
    }
    Ok(found)
}

/// Reads an address as the kernel prints it: 32-bit words in the byte order of the host.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let word = |at: usize| Some(u32::from_str_radix(ip.get(at..at + 8)?, 16).ok()?.to_ne_bytes());
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(8)?, word(16)?, word(24)?];
            Ipv6Addr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses_as_the_kernel_prints_them() {
        #[cfg(target_endian = "little")]
        for (text, expected) in [
            ("0100007F:1F90", Some("127.0.0.1:8080")),
            ("B80D0120000000000000000010000000:0050", Some("[2001:db8::10]:80")),
            ("0100007F", None),
            ("0100007G:0050", None),
            ("0100007F:10000", None),
            ("", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(address(text), expected, "{text}");
        }
    }
}
