//! Requests as trees, so that they can be changed, shortened and printed.

use std::fmt;

const DEL_DAEMON: u8 = 10;

/// The type of a message. The id of the family is not known before it is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Ipvs,
    Number(u16),
}

/// An attribute. `length` is a false length of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) kind: u16,
    pub(crate) value: Value,
    pub(crate) length: Option<u16>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Bytes(Vec<u8>),
    Nest(Vec<Attribute>),
    Family,
}

/// A request. `length` is a false length of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Message {
    pub(crate) kind: Kind,
    pub(crate) flags: u16,
    pub(crate) sequence: u32,
    pub(crate) port: u32,
    pub(crate) body: Body,
    pub(crate) length: Option<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    /// A command of generic netlink. `trailing` follows the attributes.
    Command {
        command: u8,
        version: u8,
        reserved: u16,
        attributes: Vec<Attribute>,
        trailing: Vec<u8>,
    },
    Bytes(Vec<u8>),
}

impl Attribute {
    pub(crate) fn bytes(kind: u16, value: &[u8]) -> Self {
        Self { kind, value: Value::Bytes(value.to_vec()), length: None }
    }

    pub(crate) fn nest(kind: u16, inner: Vec<Self>) -> Self {
        Self { kind, value: Value::Nest(inner), length: None }
    }

    fn write(&self, family: u16, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 4]);
        match &self.value {
            Value::Bytes(bytes) => out.extend(bytes),
            Value::Nest(inner) => inner.iter().for_each(|attribute| attribute.write(family, out)),
            Value::Family => out.extend(family.to_ne_bytes()),
        }
        let length = self.length.unwrap_or(u16::try_from(out.len() - start).unwrap());
        out[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        out[start + 2..start + 4].copy_from_slice(&self.kind.to_ne_bytes());
        out.resize(out.len().next_multiple_of(4), 0);
    }
}

impl Message {
    /// Appends the message to a datagram.
    pub(crate) fn write(&self, family: u16, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend([0; 16]);
        match &self.body {
            Body::Command { command, version, reserved, attributes, trailing } => {
                out.extend([*command, *version]);
                out.extend(reserved.to_ne_bytes());
                attributes.iter().for_each(|attribute| attribute.write(family, out));
                out.extend(trailing);
            }
            Body::Bytes(bytes) => out.extend(bytes),
        }
        let length = self.length.unwrap_or(u32::try_from(out.len() - start).unwrap());
        let kind = match self.kind {
            Kind::Ipvs => family,
            Kind::Number(number) => number,
        };
        let mut header = length.to_ne_bytes().to_vec();
        header.extend(kind.to_ne_bytes());
        header.extend(self.flags.to_ne_bytes());
        header.extend(self.sequence.to_ne_bytes());
        header.extend(self.port.to_ne_bytes());
        out[start..start + 16].copy_from_slice(&header);
        out.resize(out.len().next_multiple_of(4), 0);
    }

    pub(crate) fn stops_daemon(&self) -> bool {
        self.kind == Kind::Ipvs && matches!(self.body, Body::Command { command: DEL_DAEMON, .. })
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

pub(crate) fn hex(bytes: &[u8]) -> impl fmt::Display {
    Hex(bytes).to_string()
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.kind)?;
        if let Some(length) = self.length {
            write!(f, "(length {length})")?;
        }
        match &self.value {
            Value::Bytes(bytes) => write!(f, "={}", Hex(bytes)),
            Value::Family => write!(f, "=family"),
            Value::Nest(inner) => {
                write!(f, "{{")?;
                for (index, attribute) in inner.iter().enumerate() {
                    let space = if index == 0 { "" } else { " " };
                    write!(f, "{space}{attribute}")?;
                }
                write!(f, "}}")
            }
        }
    }
}

/// The names of the commands, in order.
const COMMANDS: &[&str] = &[
    "UNSPEC",
    "NEW_SERVICE",
    "SET_SERVICE",
    "DEL_SERVICE",
    "GET_SERVICE",
    "NEW_DEST",
    "SET_DEST",
    "DEL_DEST",
    "GET_DEST",
    "NEW_DAEMON",
    "DEL_DAEMON",
    "GET_DAEMON",
    "SET_CONFIG",
    "GET_CONFIG",
    "SET_INFO",
    "GET_INFO",
    "ZERO",
    "FLUSH",
];

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.kind, &self.body) {
            (Kind::Ipvs, Body::Command { command, .. }) => {
                match COMMANDS.get(usize::from(*command)) {
                    Some(name) => write!(f, "{name}")?,
                    None => write!(f, "command {command}")?,
                }
            }
            (Kind::Ipvs, Body::Bytes(_)) => write!(f, "family")?,
            (Kind::Number(number), Body::Command { command, .. }) => {
                write!(f, "type {number} command {command}")?;
            }
            (Kind::Number(number), Body::Bytes(_)) => write!(f, "type {number}")?,
        }
        write!(f, " flags {:#x} sequence {}", self.flags, self.sequence)?;
        if self.port != 0 {
            write!(f, " port {}", self.port)?;
        }
        if let Some(length) = self.length {
            write!(f, " length {length}")?;
        }
        match &self.body {
            Body::Command { version, reserved, attributes, trailing, .. } => {
                if (*version, *reserved) != (1, 0) {
                    write!(f, " version {version} reserved {reserved}")?;
                }
                attributes.iter().try_for_each(|attribute| write!(f, " {attribute}"))?;
                if !trailing.is_empty() {
                    write!(f, " trailing {}", Hex(trailing))?;
                }
                Ok(())
            }
            Body::Bytes(bytes) => write!(f, " {}", Hex(bytes)),
        }
    }
}
