//! Turns a watch into events for the converter.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::future;
use std::io::{self, Write as _};

use futures::{Stream, StreamExt as _};
use ipvs_netlink::kubernetes::{Event, ObjectName};
use kube::runtime::WatchStreamExt as _;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use serde::de::DeserializeOwned;

use crate::watched::{Kind, Watched};

/// Watches all objects of a kind. The first batch of events has all that there are; after a break of the
/// watch, a batch also tells what was deleted meanwhile.
pub(crate) fn of<T>(client: Client) -> impl Stream<Item = (&'static str, Vec<Event>)>
where
    T: Kind + Clone + Debug + DeserializeOwned + Send + 'static,
{
    let api = Api::<Watched<T>>::all(client);
    let watch = watcher(api, watcher::Config::default()).default_backoff();
    let mut known = BTreeSet::<ObjectName>::new();
    let mut listed = Vec::<T>::new();
    watch.filter_map(move |told| {
        let events = match told {
            Ok(watcher::Event::Init) => {
                listed.clear();
                None
            }
            Ok(watcher::Event::InitApply(it)) => {
                listed.push(it.object);
                None
            }
            Ok(watcher::Event::InitDone) => {
                let present = listed.iter().map(|it| it.metadata().object_name()).collect();
                let before = std::mem::replace(&mut known, present);
                let gone = before.difference(&known).cloned().map(T::deleted);
                Some(gone.chain(listed.drain(..).map(T::present)).collect())
            }
            Ok(watcher::Event::Apply(it)) => {
                known.insert(it.object.metadata().object_name());
                Some(vec![it.object.present()])
            }
            Ok(watcher::Event::Delete(it)) => {
                let name = it.object.metadata().object_name();
                known.remove(&name);
                Some(vec![T::deleted(name)])
            }
            Err(error) => {
                // Nobody needs to read it.
                writeln!(io::stderr(), "watch of {}: {error}", T::PLURAL).ok();
                None
            }
        };
        future::ready(events.map(|events| (T::KIND, events)))
    })
}
