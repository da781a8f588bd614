//! Checks endpoints as the annotation `ipvs-netlink/health-checks` of their service says, and takes those out of
//! the table that fail.
//!
//! Kubernetes stays the master: checks only take away from what the conversion gives, and if they would take
//! everything, they take nothing.
//!
//! ```text
//! Changes of the conversion -> Watching -> Runner (a thread of the library) -> Watching -> wishes
//! ```
//!
//! `Checks` is the thin part with the runner. `watching` decides which services are watched, `state` and
//! `effective` what the table is to hold of each, and `document` what an annotation may say; they have no socket, no clock and no thread.

mod document;
mod effective;
mod keeper;
mod keys;
mod names;
mod options;
mod state;
mod targets;
#[cfg(test)]
mod tests;
mod watching;

pub(crate) use keeper::Checks;
pub use options::CheckOptions;

use ipvs_netlink::kubernetes::ObjectName;

use self::document::Document;

/// Checks that an annotation can be used within the bounds of the command line.
///
/// # Errors
///
/// The line that `node-proxy run` would log.
pub(crate) fn examine(
    service: &ObjectName,
    text: &str,
    options: &CheckOptions,
) -> Result<(), String> {
    let read = match options.off() {
        Some(off) => Err(off),
        None => Document::read(text, options.least_check_interval).map(drop),
    };
    read.map_err(|why| left_out(service, &why))
}

/// Returns the line of the log that says why the checks of a service are not done.
fn left_out(service: &ObjectName, why: &str) -> String {
    format!("left out: Service {service}, annotation ipvs-netlink/health-checks: {why}")
}
