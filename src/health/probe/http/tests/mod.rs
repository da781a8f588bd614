//! Checks over HTTP against servers on this host.

mod answers;
mod hostile;
mod http2_floods;
#[cfg(feature = "health-tls")]
mod https;
mod random;
mod requests;
mod servers;

use std::time::Duration;

use super::*;
use crate::health::Outcome;
use crate::health::probe::Probe;
use crate::health::probe::tests::servers::{check, reason};

/// A check with time enough for a busy machine.
fn patient(check: HttpCheck) -> Probe {
    Probe::http(check).timeout(Duration::from_secs(20))
}

fn get(path: &str) -> HttpCheck {
    HttpCheck::get(path).unwrap()
}

fn passes(probe: HttpCheck, target: std::net::SocketAddr) {
    assert_eq!(check(&patient(probe), target), Outcome::passed());
}

fn fails(probe: HttpCheck, target: std::net::SocketAddr) -> String {
    reason(check(&patient(probe), target))
}
