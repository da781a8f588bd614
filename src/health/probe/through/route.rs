//! Routes, as the kernel's rtnetlink tells them.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use rustix::net::netdevice::index_to_name;
use socket2::{Domain, Protocol, Socket, Type};

// linux/netlink.h and linux/rtnetlink.h
const AF_NETLINK: i32 = 16;
const NETLINK_ROUTE: i32 = 0;
const NLMSG_ERROR: u16 = 2;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const NLM_F_REQUEST: u16 = 1;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_PREFSRC: u16 = 7;
const RTN_LOCAL: u8 = 2;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// The sizes of `nlmsghdr`, `rtmsg` and `rtattr`.
const HEADER: usize = 16;
const ROUTE: usize = 12;
const ATTRIBUTE: usize = 4;

/// Where packets to an address go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// The address is one of this host.
    pub(super) is_local: bool,
    /// The index of the interface, 0 if there is none.
    pub(super) interface: u32,
    /// The source address that the kernel would choose.
    pub(super) source: Option<IpAddr>,
}

/// A socket that asks for routes in the network namespace in which it was opened.
#[derive(Debug)]
pub(super) struct Routes(Socket);

impl Routes {
    pub(super) fn open() -> io::Result<Self> {
        let protocol = Some(Protocol::from(NETLINK_ROUTE));
        // It does not block: the kernel answers before `send` returns.
        let socket = Socket::new(Domain::from(AF_NETLINK), Type::RAW.nonblocking(), protocol)?;
        Ok(Self(socket))
    }

    /// Returns the route to an address, or `None` if there is none.
    pub(super) fn to(&mut self, address: IpAddr) -> io::Result<Option<Route>> {
        let request = request(address);
        (&self.0).write_all(&request)?;
        let mut answer = [0; 4096];
        let length = (&self.0).read(&mut answer)?;
        parse(answer.get(..length).unwrap_or_default())
    }

    /// Returns the name of an interface.
    pub(super) fn name(&self, index: u32) -> io::Result<String> {
        Ok(index_to_name(&self.0, index)?)
    }
}

fn request(address: IpAddr) -> Vec<u8> {
    let (family, bytes) = match address {
        IpAddr::V4(v4) => (AF_INET, v4.octets().to_vec()),
        IpAddr::V6(v6) => (AF_INET6, v6.octets().to_vec()),
    };
    // At most 16 bytes of address.
    let short = |number: usize| u16::try_from(number).unwrap_or_default();
    let attribute = ATTRIBUTE + bytes.len();
    let total = u32::from(short(HEADER + ROUTE + attribute));
    let mut request = Vec::new();
    request.extend(total.to_ne_bytes());
    request.extend(RTM_GETROUTE.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 8]);
    request.extend([family, 8 * u8::try_from(bytes.len()).unwrap_or_default()]);
    request.extend([0; ROUTE - 2]);
    request.extend(short(attribute).to_ne_bytes());
    request.extend(RTA_DST.to_ne_bytes());
    request.extend(bytes);
    request
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the kernel's answer about a route is cut off")
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> io::Result<[u8; N]> {
    let part = bytes.get(at..).and_then(|rest| rest.first_chunk::<N>());
    part.copied().ok_or_else(invalid)
}

fn parse(answer: &[u8]) -> io::Result<Option<Route>> {
    match u16::from_ne_bytes(array(answer, 4)?) {
        RTM_NEWROUTE => {}
        NLMSG_ERROR => {
            let code = i32::from_ne_bytes(array(answer, HEADER)?);
            let error = io::Error::from_raw_os_error(code.saturating_neg());
            return match error.kind() {
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => Ok(None),
                // A route that says so, such as `blackhole`, `prohibit` or `throw`.
                io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied => Ok(None),
                _ => Err(error),
            };
        }
        _ => return Err(invalid()),
    }
    let [_, _, _, _, _, _, _, kind] = array(answer, HEADER)?;
    let mut route = Route { is_local: kind == RTN_LOCAL, interface: 0, source: None };
    let mut rest = answer.get(HEADER + ROUTE..).ok_or_else(invalid)?;
    while rest.len() >= ATTRIBUTE {
        let length = usize::from(u16::from_ne_bytes(array(rest, 0)?));
        let value = rest.get(ATTRIBUTE..length).ok_or_else(invalid)?;
        match u16::from_ne_bytes(array(rest, 2)?) {
            RTA_OIF => route.interface = u32::from_ne_bytes(array(value, 0)?),
            RTA_PREFSRC => {
                route.source = Some(match value.len() {
                    4 => Ipv4Addr::from(array(value, 0)?).into(),
                    _ => Ipv6Addr::from(array::<16>(value, 0)?).into(),
                });
            }
            _ => {}
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(Some(route))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_kernel_tells_the_way_to_this_host() {
        let mut routes = Routes::open().unwrap();
        for address in ["127.0.0.1", "127.5.5.5"].map(|text| text.parse().unwrap()) {
            let route = routes.to(address).unwrap().unwrap();
            assert!(route.is_local, "{route:?}");
            assert_eq!(routes.name(route.interface).unwrap(), "lo");
            assert!(route.source.unwrap().is_loopback());
        }
    }

    #[test]
    fn errors_that_mean_no_route_are_told_from_others() {
        let error = |code: i32| {
            let mut answer = vec![0; HEADER];
            answer[4..6].copy_from_slice(&NLMSG_ERROR.to_ne_bytes());
            answer.extend((-code).to_ne_bytes());
            parse(&answer)
        };
        let (unreachable, no_memory) = (101, 12);
        assert_eq!(error(unreachable).unwrap(), None);
        assert_eq!(error(no_memory).unwrap_err().raw_os_error(), Some(no_memory));
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let _ = parse(&bytes);
            let mut route = bytes;
            if route.len() > 6 {
                route[4..6].copy_from_slice(&RTM_NEWROUTE.to_ne_bytes());
            }
            let _ = parse(&route);
        }
    }
}
