//! `lvs_method`: how packets get to a real server.

use ipvs_netlink::{Forwarding, GueChecksum, Tunnel};

use crate::convert::blocks::Statement;
use crate::convert::unsaid::Remarks;
use crate::convert::values::number;

/// Reads `NAT`, `DR`, or `TUN` with its options.
pub(super) fn read(statement: &Statement, remarks: &mut Remarks) -> Option<Forwarding> {
    let words: Vec<&str> = statement.arguments().iter().map(String::as_str).collect();
    let forwarding = match words.as_slice() {
        ["NAT"] => Some(Forwarding::Masquerade),
        ["DR"] => Some(Forwarding::DirectRoute),
        ["TUN", options @ ..] => tunnel(options).map(Forwarding::Tunnel),
        _ => None,
    };
    if forwarding.is_none() {
        statement.refuse("NAT, DR or TUN with options that its type has", remarks);
    }
    forwarding
}

fn tunnel(options: &[&str]) -> Option<Tunnel> {
    let (mut kind, mut port, mut checksum) = ("ipip", None, "nocsum");
    let mut words = options.iter();
    while let Some(word) = words.next() {
        match *word {
            "type" => kind = words.next()?,
            "port" => port = number(words.next()?).and_then(|it| u16::try_from(it).ok()),
            "nocsum" | "csum" | "remcsum" => checksum = word,
            _ => return None,
        }
    }
    match (kind, port.filter(|port| *port != 0), checksum) {
        ("ipip", None, "nocsum") => Some(Tunnel::Ipip),
        ("gre", None, "nocsum") => Some(Tunnel::Gre { checksum: false }),
        ("gre", None, "csum") => Some(Tunnel::Gre { checksum: true }),
        ("gue", Some(port), checksum) => {
            let checksum = match checksum {
                "csum" => GueChecksum::Full,
                "remcsum" => GueChecksum::RemoteOffload,
                _ => GueChecksum::None,
            };
            Some(Tunnel::Gue { port, checksum })
        }
        _ => None,
    }
}
