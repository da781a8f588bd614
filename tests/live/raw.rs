//! Requests as no well-behaved client makes them: any attributes, unchecked.

use super::namespace::RawSocket;

pub(crate) const NEW_SERVICE: u8 = 1;
pub(crate) const SET_SERVICE: u8 = 2;
pub(crate) const DEL_SERVICE: u8 = 3;
pub(crate) const GET_SERVICE: u8 = 4;
pub(crate) const NEW_DEST: u8 = 5;
pub(crate) const SET_DEST: u8 = 6;
pub(crate) const DEL_DEST: u8 = 7;
pub(crate) const GET_DEST: u8 = 8;
pub(crate) const NEW_DAEMON: u8 = 9;
pub(crate) const DEL_DAEMON: u8 = 10;
pub(crate) const SET_CONFIG: u8 = 12;
pub(crate) const ZERO: u8 = 16;

/// Attributes under construction.
#[derive(Clone, Default)]
pub(crate) struct Attributes(Vec<u8>);

impl Attributes {
    pub(crate) fn bytes(mut self, kind: u16, value: &[u8]) -> Self {
        let length = u16::try_from(4 + value.len()).unwrap();
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        self
    }

    #[cfg(feature = "packet")]
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn u16(self, kind: u16, value: u16) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    pub(crate) fn u32(self, kind: u16, value: u32) -> Self {
        self.bytes(kind, &value.to_ne_bytes())
    }

    pub(crate) fn nest(self, kind: u16, inner: &Self) -> Self {
        self.bytes(kind, &inner.0)
    }
}

pub(crate) fn attributes() -> Attributes {
    Attributes::default()
}

/// The identity of a service, its attributes 1 to 4.
pub(crate) fn service_id(protocol: u16, address: [u8; 4], port: u16) -> Attributes {
    attributes().u16(1, 2).u16(2, protocol).bytes(3, &address).bytes(4, &port.to_be_bytes())
}

/// The settings of a service, its attributes 6 to 9.
pub(crate) fn service_settings(id: Attributes, scheduler: &str) -> Attributes {
    let name = [scheduler.as_bytes(), b"\0"].concat();
    id.bytes(6, &name).bytes(7, &[0, 0, 0, 0, 255, 255, 255, 255]).u32(8, 0).u32(9, u32::MAX)
}

/// The identity of a destination, its attributes 1 and 2.
pub(crate) fn destination_id(address: &[u8], port: u16) -> Attributes {
    attributes().bytes(1, address).bytes(2, &port.to_be_bytes())
}

/// The settings of a destination, its attributes 3 to 6.
pub(crate) fn destination_settings(
    id: Attributes,
    method: u32,
    weight: u32,
    thresholds: (u32, u32),
) -> Attributes {
    id.u32(3, method).u32(4, weight).u32(5, thresholds.0).u32(6, thresholds.1)
}

/// Adds an IPv4 service whatever its protocol.
pub(crate) fn add_service(protocol: u16, address: [u8; 4], port: u16, scheduler: &str) {
    let service = service_settings(service_id(protocol, address, port), scheduler);
    assert_eq!(send(NEW_SERVICE, &attributes().nest(1, &service)), 0);
}

/// Adds a persistent IPv4 TCP service whatever its timeout.
pub(crate) fn add_persistent(address: [u8; 4], port: u16, seconds: u32) {
    let flags = [1_u32.to_ne_bytes(), u32::MAX.to_ne_bytes()].concat();
    let service = service_id(6, address, port).bytes(6, b"rr\0").bytes(7, &flags);
    let service = service.u32(8, seconds).u32(9, u32::MAX);
    assert_eq!(send(NEW_SERVICE, &attributes().nest(1, &service)), 0);
}

/// Adds a destination to `TCP 192.0.2.10:80` whatever its method and tunnel.
pub(crate) fn add_destination(
    address: [u8; 4],
    port: u16,
    method: u32,
    (kind, tunnel_port, flags): (u8, u16, u16),
) {
    let destination = destination_settings(destination_id(&address, port), method, 1, (0, 0))
        .bytes(13, &[kind])
        .bytes(14, &tunnel_port.to_be_bytes())
        .u16(15, flags);
    let web = service_id(6, [192, 0, 2, 10], 80);
    assert_eq!(send(NEW_DEST, &attributes().nest(1, &web).nest(2, &destination)), 0);
}

/// Sends a request and returns the errno of the answer, 0 for success.
pub(crate) fn send(command: u8, attributes: &Attributes) -> i32 {
    let mut socket = RawSocket::open();
    let family = family(&mut socket);
    // NLM_F_REQUEST | NLM_F_ACK
    transmit(&mut socket, family, 5, command, attributes);
    let reply = socket.receive();
    assert_eq!(reply[4..6], 2_u16.to_ne_bytes(), "an error or an acknowledgement");
    -i32::from_ne_bytes(reply[16..20].try_into().unwrap())
}

/// The id of the family, which the kernel assigns when the module is loaded.
fn family(socket: &mut RawSocket) -> u16 {
    transmit(socket, 16, 1, 3, &Attributes::default().bytes(2, b"IPVS\0"));
    let reply = socket.receive();
    let mut rest = &reply[20..];
    loop {
        let length = usize::from(u16::from_ne_bytes([rest[0], rest[1]]));
        if u16::from_ne_bytes([rest[2], rest[3]]) == 1 {
            return u16::from_ne_bytes([rest[4], rest[5]]);
        }
        rest = &rest[length.next_multiple_of(4)..];
    }
}

fn transmit(socket: &mut RawSocket, kind: u16, flags: u16, command: u8, attributes: &Attributes) {
    let length = u32::try_from(20 + attributes.0.len()).unwrap();
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend([0; 4]);
    message.extend([command, 1, 0, 0]);
    message.extend(&attributes.0);
    socket.send(&message);
}
