//! How packets reach endpoints.

use crate::kubernetes::excerpt::Excerpt;
use crate::model::{Forwarding, InvalidValue, Tunnel};

/// Reads `masquerade`, `direct`, `tunnel`, or `tunnel` with what [`Tunnel`] prints:
/// `tunnel gue 6080 csum`.
pub(super) fn parse(text: &str) -> Result<Forwarding, InvalidValue> {
    match text {
        "masquerade" => Ok(Forwarding::Masquerade),
        "direct" => Ok(Forwarding::DirectRoute),
        "tunnel" => Ok(Forwarding::Tunnel(Tunnel::Ipip)),
        _ => {
            let tunnel = text.strip_prefix("tunnel ").and_then(|rest| rest.parse().ok());
            tunnel.map(Forwarding::Tunnel).ok_or_else(|| {
                let rule = "must be masquerade, direct, tunnel, or tunnel and a type such as \
                            tunnel gue 6080 or tunnel gre csum";
                InvalidValue::new("forwarding", Excerpt::of(text).quoted(), rule)
            })
        }
    }
}
