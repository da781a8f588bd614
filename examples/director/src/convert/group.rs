//! `virtual_server_group`: addresses, ranges of them, and firewall marks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipvs_netlink::AddressFamily;

use crate::convert::blocks::Statement;
use crate::convert::limits::MOST_SERVICES;
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::number;

/// A member of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Address(IpAddr, Option<u16>),
    Mark(u32, Option<AddressFamily>),
}

/// Reads the block of a group.
pub(super) fn read(block: &[Statement], remarks: &mut Remarks) -> Vec<Entry> {
    let mut entries = Vec::new();
    for statement in block {
        let words: Vec<&str> = statement.words.iter().map(String::as_str).collect();
        let read = match words.as_slice() {
            _ if statement.block.is_some() || statement.keyword().starts_with('@') => {
                statement.unknown(remarks);
                continue;
            }
            ["fwmark", mark] => number(mark).map(|mark| vec![Entry::Mark(mark, None)]),
            ["fwmark", mark, family] => number(mark)
                .zip(self::family(family))
                .map(|(mark, family)| vec![Entry::Mark(mark, Some(family))]),
            [range] => addresses(range, None),
            [range, port] => {
                let port = number(port).and_then(|port| u16::try_from(port).ok());
                port.and_then(|port| addresses(range, Some(port).filter(|port| *port != 0)))
            }
            _ => None,
        };
        match read {
            Some(read) if entries.len() + read.len() <= MOST_SERVICES => entries.extend(read),
            _ => {
                let reason = format!(
                    "no address, range of at most {MOST_SERVICES} addresses or firewall mark, with a port or family"
                );
                remarks.add(&statement.place, &statement.text, Fate::LeftOut, reason);
            }
        }
    }
    entries
}

pub(super) fn family(word: &str) -> Option<AddressFamily> {
    match word {
        "inet" => Some(AddressFamily::Ipv4),
        "inet6" => Some(AddressFamily::Ipv6),
        _ => None,
    }
}

fn addresses(range: &str, port: Option<u16>) -> Option<Vec<Entry>> {
    let (first, last) = ends(range)?;
    let (begin, end) = match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            (u128::from(u32::from(first)), u128::from(u32::from(last)))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => (u128::from(first), u128::from(last)),
        _ => return None,
    };
    let further = usize::try_from(end.checked_sub(begin)?).ok().filter(|it| *it < MOST_SERVICES)?;
    let address = |number: u128| match first {
        IpAddr::V4(_) => u32::try_from(number).ok().map(|it| IpAddr::V4(Ipv4Addr::from(it))),
        IpAddr::V6(_) => Some(IpAddr::V6(Ipv6Addr::from(number))),
    };
    let numbers = (begin..=end).take(further + 1);
    numbers.map(|number| address(number).map(|it| Entry::Address(it, port))).collect()
}

/// Returns the first and the last address of `A`, `A-B`, `A-LAST`, where `LAST` is the last part
/// alone, and `A/LENGTH`.
fn ends(range: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some((address, length)) = range.split_once('/') {
        return network(address.parse().ok()?, number(length)?);
    }
    let Some((first, last)) = range.split_once('-') else {
        let address = range.parse().ok()?;
        return Some((address, address));
    };
    let first: IpAddr = first.parse().ok()?;
    let last = match (first, last.parse::<IpAddr>()) {
        (_, Ok(last)) => last,
        (IpAddr::V4(first), Err(_)) => {
            let part = u8::try_from(number(last)?).ok()?;
            let [a, b, c, _] = first.octets();
            IpAddr::V4(Ipv4Addr::new(a, b, c, part))
        }
        (IpAddr::V6(first), Err(_)) => {
            let plain = last.bytes().all(|byte| byte.is_ascii_hexdigit());
            let part = u16::from_str_radix(last, 16).ok().filter(|_| plain)?;
            let [a, b, c, d, e, f, g, _] = first.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, part))
        }
    };
    Some((first, last))
}

/// Returns the ends of a network, whose other bits must be 0.
fn network(first: IpAddr, length: u32) -> Option<(IpAddr, IpAddr)> {
    match first {
        IpAddr::V4(first) => {
            let rest = u32::MAX.checked_shr(length).unwrap_or(0);
            let number = u32::from(first);
            let fits = (1..=32).contains(&length) && number & rest == 0;
            fits.then(|| (IpAddr::V4(first), IpAddr::V4(Ipv4Addr::from(number | rest))))
        }
        IpAddr::V6(first) => {
            let rest = u128::MAX.checked_shr(length).unwrap_or(0);
            let number = u128::from(first);
            let fits = (1..=128).contains(&length) && number & rest == 0;
            fits.then(|| (IpAddr::V6(first), IpAddr::V6(Ipv6Addr::from(number | rest))))
        }
    }
}
