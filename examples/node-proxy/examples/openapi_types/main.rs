//! Watches a cluster with the types of `k8s-openapi`, as programs do that have them already, and prints the
//! table of a node after each change.
//!
//! The library has no version of `k8s-openapi` in its interface. Its types and those are read from the same
//! JSON, so [`reduced`] makes one of the other through serde, whatever the version of the API. The stores of
//! `kube` hold what there is. `convert` makes the whole table of it; `Converter`, in the example `own_types`,
//! costs less for a change.
//!
//! ```sh
//! cargo run -p node-proxy --example openapi_types -- node-a http://127.0.0.1:8001    # after `kubectl proxy`
//! cargo run -p node-proxy --example openapi_types -- node-a                          # as a pod, or by ~/.kube/config
//! ```

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Debug;
use std::future;
use std::io::{self, Write as _};

use futures::{Stream, StreamExt as _, stream};
use ipvs_netlink::kubernetes::{self, Converted, Objects, Options, convert};
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::runtime::WatchStreamExt as _;
use kube::runtime::reflector::{Store, reflector, store};
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client, Config, Resource};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let node = arguments.next().ok_or("usage: openapi_types NODE [URL]")?;
    let config = match arguments.next() {
        Some(url) => Config::new(url.parse()?),
        None => Config::infer().await?,
    };
    let client = Client::try_from(config)?;
    watch(client, &Options::new(&node), |converted| {
        writeln!(io::stdout(), "{}", converted.table)?;
        Ok(())
    })
    .await
}

/// Makes an object of the library of one of `k8s-openapi`.
///
/// # Errors
///
/// A field of the object has a type that the API does not give it.
fn reduced<T: Serialize, U: DeserializeOwned>(object: &T) -> Result<U, serde_json::Error> {
    U::deserialize(serde_json::to_value(object)?)
}

/// Converts everything whenever something has changed, once both kinds are listed.
///
/// # Errors
///
/// `told` failed, or an object cannot be read. Failures of the watches are printed, and the watches try again.
async fn watch(
    client: Client,
    options: &Options,
    mut told: impl FnMut(&Converted) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let (services, service_changes) = follow::<Service>(client.clone());
    let (slices, slice_changes) = follow::<EndpointSlice>(client);
    let mut changes = stream::select(service_changes.boxed(), slice_changes.boxed());
    let mut complete = BTreeSet::new();
    while let Some(kind) = changes.next().await {
        complete.insert(kind);
        // What is not listed yet looks like what is gone.
        if complete.len() == 2 {
            let services: Vec<kubernetes::Service> = all(&services)?;
            let slices: Vec<kubernetes::EndpointSlice> = all(&slices)?;
            told(&convert(&Objects::new(&services, &slices), options))?;
        }
    }
    Ok(())
}

/// Returns all objects of a store as those of the library.
fn all<T, U>(store: &Store<T>) -> Result<Vec<U>, serde_json::Error>
where
    T: Resource<DynamicType = ()> + Clone + Serialize,
    U: DeserializeOwned,
{
    store.state().iter().map(|object| reduced(&**object)).collect()
}

/// Watches all objects of a kind. Returns what there is, and a stream that has the kind's name whenever that
/// has changed. It begins when everything is listed.
fn follow<T>(client: Client) -> (Store<T>, impl Stream<Item = String>)
where
    T: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static,
{
    let (store, writer) = store();
    let watch = watcher(Api::<T>::all(client), watcher::Config::default()).default_backoff();
    let changes = reflector(writer, watch).filter_map(|told| {
        let kind = T::kind(&()).into_owned();
        future::ready(match told {
            Ok(watcher::Event::Init | watcher::Event::InitApply(_)) => None,
            Ok(_) => Some(kind),
            Err(error) => {
                // Nobody needs to read it.
                writeln!(io::stderr(), "watch of {kind}: {error}").ok();
                None
            }
        })
    });
    (store, changes)
}
