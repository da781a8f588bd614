//! Watches a cluster with `kube` and the types of `ipvs_netlink`, and prints what each event changes in the
//! table of a node.
//!
//! The types of the library hold only the fields that count. `kube` needs two things of a type: a
//! [`kube::Resource`] that says which path of the API has it, and the version of each object.
//! `watched::Watched` adds both.
//!
//! ```sh
//! cargo run -p node-proxy --example own_types -- node-a http://127.0.0.1:8001    # after `kubectl proxy`
//! cargo run -p node-proxy --example own_types -- node-a                          # as a pod, or by ~/.kube/config
//! ```

mod events;
#[cfg(test)]
mod tests;
mod watched;

use std::collections::BTreeSet;
use std::error::Error;
use std::io::{self, Write as _};

use futures::{StreamExt as _, stream};
use ipvs_netlink::kubernetes::{Changes, Converter, EndpointSlice, Options, Service};
use kube::{Client, Config};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let node = arguments.next().ok_or("usage: own_types NODE [URL]")?;
    let config = match arguments.next() {
        Some(url) => Config::new(url.parse()?),
        None => Config::infer().await?,
    };
    let client = Client::try_from(config)?;
    watch(client, &Options::new(&node), |_, changes| print(changes)).await?;
    Ok(())
}

/// Converts event by event, and tells each change. The first one has everything that there is.
///
/// # Errors
///
/// `told` failed. Failures of the watches are printed, and the watches try again.
async fn watch(
    client: Client,
    options: &Options,
    mut told: impl FnMut(&Converter, &Changes) -> io::Result<()>,
) -> io::Result<()> {
    let services = events::of::<Service>(client.clone()).boxed();
    let slices = events::of::<EndpointSlice>(client).boxed();
    let mut batches = stream::select(services, slices);
    let mut converter = Converter::new(options);
    let (mut complete, mut waiting) = (BTreeSet::new(), Vec::new());
    while let Some((kind, events)) = batches.next().await {
        complete.insert(kind);
        waiting.extend(events);
        // What is not listed yet looks like what is gone.
        if complete.len() == 2 {
            let changes = converter.apply_all(waiting.drain(..));
            told(&converter, &changes)?;
        }
    }
    Ok(())
}

/// Prints what a node agent would hand to a `Controller`: `set` are its wishes, and `removed` is to be
/// forgotten.
fn print(changes: &Changes) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for (service, facts) in &changes.set {
        let (id, count) = (service.id(), service.destinations().count());
        writeln!(out, "{id}: {count} destinations, of Service {}", facts.service)?;
    }
    for id in &changes.removed {
        writeln!(out, "{id}: gone")?;
    }
    for skipped in &changes.skipped_added {
        writeln!(out, "left out: {skipped}")?;
    }
    out.flush()
}
