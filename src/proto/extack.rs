//! Acknowledgements, refusals, and the text that the kernel adds to them.
//!
//! An NLMSG_ERROR has the errno, the header of the request, the payload of the request unless a flag
//! says that it is capped, and attributes if a flag says so. In NLMSG_DONE the attributes follow the
//! errno.

use byteorder::{ByteOrder, NativeEndian};
use netlink_packet_core::{NLM_F_ACK_TLVS, NLM_F_CAPPED};

use crate::error::Extack;
use crate::uapi::{NLMSGERR_ATTR_MSG, NLMSGERR_ATTR_OFFS};
use crate::wire::{Attributes, Malformed, read_u32};

/// An errno and the kernel's extended acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) errno: i32,
    /// Boxed because it is rare, so that refusals are small.
    pub(crate) extack: Option<Box<Extack>>,
}

/// Reads the payload of an NLMSG_ERROR. Returns `None` for an acknowledgement.
#[inline]
pub(crate) fn read_error(flags: u16, payload: &[u8]) -> Result<Option<Refusal>, Malformed> {
    let Some((code, request)) = split_code(payload) else {
        return Err("an error message without an errno");
    };
    let attributes = if code == 0 || flags & NLM_F_ACK_TLVS == 0 {
        None
    } else if flags & NLM_F_CAPPED != 0 {
        request.get(16..)
    } else {
        let length = request.first_chunk().map_or(0, |length| u32::from_ne_bytes(*length));
        usize::try_from(length)
            .ok()
            .and_then(|length| request.get(length.max(16).checked_next_multiple_of(4)?..))
    };
    Ok(refusal(code, attributes))
}

/// Reads the payload of an NLMSG_DONE. Returns `None` for success, also if there is no errno.
pub(crate) fn read_done(flags: u16, payload: &[u8]) -> Result<Option<Refusal>, Malformed> {
    match split_code(payload) {
        Some((code, attributes)) => {
            let attributes = (flags & NLM_F_ACK_TLVS != 0).then_some(attributes);
            Ok(refusal(code, attributes))
        }
        None if payload.is_empty() => Ok(None),
        None => Err("an end message that is too short"),
    }
}

fn split_code(payload: &[u8]) -> Option<(i32, &[u8])> {
    let (code, rest) = payload.split_at_checked(4)?;
    Some((NativeEndian::read_i32(code), rest))
}

#[inline]
fn refusal(code: i32, attributes: Option<&[u8]>) -> Option<Refusal> {
    if code == 0 {
        return None;
    }
    Some(Refusal {
        errno: code.saturating_neg(),
        extack: attributes.and_then(read_extack).map(Box::new),
    })
}

/// Reads text and offset. Skips what cannot be read; the errno alone is enough.
fn read_extack(attributes: &[u8]) -> Option<Extack> {
    let mut extack = Extack { message: None, offset: None };
    for (kind, value) in Attributes::new(attributes).map_while(Result::ok) {
        match kind {
            NLMSGERR_ATTR_MSG => {
                let text = value.strip_suffix(b"\0").unwrap_or(value);
                extack.message = Some(String::from_utf8_lossy(text).into_owned());
            }
            NLMSGERR_ATTR_OFFS => extack.offset = read_u32(value).ok(),
            _ => {}
        }
    }
    (extack.message.is_some() || extack.offset.is_some()).then_some(extack)
}
