//! What a command finds in its environment.

use ipvs_netlink::{AddressFamily, Protocol, ServiceId};

use crate::announcement::Run;

/// Where commands look for programs.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns the whole environment of a command. What does not apply to a service is empty, so that a
/// shell with `set -u` can ask for it.
#[must_use]
pub fn of(run: &Run) -> Vec<(&'static str, String)> {
    let (address, port) = match run.service.address() {
        Some(address) => (address.ip().to_string(), address.port().to_string()),
        None => (String::new(), String::new()),
    };
    let (protocol, mark) = match run.service {
        ServiceId::Address { protocol, .. } => (name(protocol), String::new()),
        ServiceId::Fwmark { mark, .. } => (String::new(), mark.to_string()),
    };
    let family = match run.service.family() {
        AddressFamily::Ipv6 => "inet6",
        _ => "inet",
    };
    vec![
        ("PATH", PATH.to_owned()),
        ("DIRECTOR_STATE", run.state.name().to_owned()),
        ("DIRECTOR_REASON", run.reason.to_string()),
        ("DIRECTOR_SERVICE", run.service.to_string()),
        ("DIRECTOR_PROTOCOL", protocol),
        ("DIRECTOR_ADDRESS", address),
        ("DIRECTOR_PORT", port),
        ("DIRECTOR_MARK", mark),
        ("DIRECTOR_FAMILY", family.to_owned()),
        ("DIRECTOR_ATTEMPT", run.attempt.to_string()),
        ("DIRECTOR_TIMEOUT", format!("{:.3}", run.timeout.as_secs_f64())),
    ]
}

fn name(protocol: Protocol) -> String {
    protocol.to_string().to_lowercase()
}
