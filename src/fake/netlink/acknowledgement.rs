//! Acknowledgements and errors, with the reason if the socket asked for it.

use crate::fake::Errno;
use crate::fake::netlink::attributes::{Kind, Violation};
use crate::fake::netlink::message::{HEADER, Message};
use crate::fake::netlink::writer::{Header, Writer};
use crate::uapi::{NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS};

const NLMSG_ERROR: u16 = 2;
const CAPPED: u16 = 0x100;
pub(in crate::fake) const TLVS: u16 = 0x200;
const ATTR_POLICY: u16 = 4;
const NESTED: u16 = 0x8000;

const FAILED_POLICY: &str = "Attribute failed policy validation";
const LEFTOVER: &str = "bytes leftover after parsing attributes";

/// What the kernel says beside the error number.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::fake) struct Reason {
    pub(in crate::fake) text: Option<&'static str>,
    violation: Option<Violation>,
}

impl Reason {
    pub(in crate::fake) const fn text(text: &'static str) -> Self {
        Self { text: Some(text), violation: None }
    }

    pub(in crate::fake) const fn leftover() -> Self {
        Self::text(LEFTOVER)
    }

    pub(in crate::fake) const fn violation(violation: Violation) -> Self {
        Self { text: Some(FAILED_POLICY), violation: Some(violation) }
    }
}

/// The options of a socket that shape its errors.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::fake) struct Shape {
    /// `NETLINK_EXT_ACK`.
    pub(in crate::fake) extended: bool,
    /// `NETLINK_CAP_ACK`.
    pub(in crate::fake) capped: bool,
}

/// Writes the answer to `message`: an error, or an acknowledgement.
///
/// Source: `af_netlink.c:netlink_ack`.
pub(in crate::fake) fn write(
    writer: &mut Writer<'_>,
    message: &Message<'_>,
    port: u32,
    result: Result<(), Errno>,
    reason: &Reason,
    shape: Shape,
) {
    let whole = result.is_err() && !shape.capped;
    let reason = Some(reason).filter(|reason| shape.extended && reason.text.is_some());
    let flags = if whole { 0 } else { CAPPED } | if reason.is_some() { TLVS } else { 0 };
    let header = Header { kind: NLMSG_ERROR, flags, sequence: message.sequence, port };
    let open = writer.begin(header);
    let error = result.err().map_or(0, |errno| -errno.number());
    writer.bytes(&error.to_ne_bytes());
    let echoed = if whole { message.bytes.len() } else { HEADER };
    writer.bytes(message.bytes.get(..echoed).unwrap_or(message.bytes));
    if let Some(reason) = reason {
        if let Some(text) = reason.text {
            writer.put_text(NLMSGERR_ATTR_MSG, text);
        }
        if let Some(Violation { offset, kind, .. }) = reason.violation.filter(|_| result.is_err()) {
            writer.put_u32(NLMSGERR_ATTR_OFFS, u32::try_from(offset).unwrap_or(u32::MAX));
            write_policy(writer, kind);
        }
    }
    writer.end(open);
}

/// Source: `net/netlink/policy.c:__netlink_policy_dump_write_attr`.
fn write_policy(writer: &mut Writer<'_>, kind: Kind) {
    const TYPE: u16 = 1;
    const MIN: u16 = 4;
    const MAX: u16 = 5;
    const MAX_LENGTH: u16 = 7;
    const PAD: u16 = 11;
    let (number, range, length) = match kind {
        Kind::Any | Kind::Least(_) => return,
        Kind::U8 => (2, Some(u64::from(u8::MAX)), None),
        Kind::U16 => (3, Some(u64::from(u16::MAX)), None),
        Kind::U32 => (4, Some(u64::from(u32::MAX)), None),
        Kind::Binary(most) => (10, None, Some(most)),
        Kind::Text(most) => (12, None, Some(most)),
        Kind::Nested => (13, None, None),
    };
    let nest = writer.begin_nest(ATTR_POLICY | NESTED);
    if let Some(most) = range {
        writer.put_u64(MIN, 0, PAD);
        writer.put_u64(MAX, most, PAD);
    }
    if let Some(most) = length {
        writer.put_u32(MAX_LENGTH, u32::try_from(most).unwrap_or(u32::MAX));
    }
    writer.put_u32(TYPE, number);
    writer.end_nest(nest);
}
