//! Watches services, endpoint slices and the own node, and pods if they have weights.

mod caches;
mod connection;
mod follow;
mod outage;
mod pace;
mod recording;
mod table_condition;
mod table_state;
#[cfg(test)]
mod tests;
mod waiting;
mod watched;

use std::fmt;

use ipvs_netlink::kubernetes::{EndpointSlice, Event, Node, Options, Pod, Service};
use kube::Client;
use kube::runtime::watcher;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::kind::Kind;

pub(crate) use self::caches::{Caches, internal_addresses};
pub use self::connection::{Access, ConnectionError};
use self::follow::follow;
pub(crate) use self::outage::{Outage, WatchFailure};
pub(crate) use self::recording::{Recording, Report};
pub(crate) use self::table_condition::TableCondition;
pub(crate) use self::table_state::TableState;

/// The label of objects that a proxy of a name is to serve.
const PROXY_NAME: &str = "service.kubernetes.io/service-proxy-name";

/// Returns the selector of the objects that are to be served: those for the proxy of a name, or those for no
/// named one. The API server sends no others.
///
/// Source: `cmd/kube-proxy/app/server.go:Run`.
fn selector(proxy_name: Option<&str>) -> String {
    let proxy = match proxy_name {
        None => format!("!{PROXY_NAME}"),
        Some(name) => format!("{PROXY_NAME}={name}"),
    };
    format!("!service.kubernetes.io/headless,{proxy}")
}

/// How many notices may wait, before the watches wait.
const MOST_WAITING: usize = 4096;

/// A kind of objects that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Source {
    Services,
    Slices,
    Node,
    Pods,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Services => "services",
            Self::Slices => "endpoint slices",
            Self::Node => "the node",
            Self::Pods => "pods",
        })
    }
}

/// What a watch tells.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// A list begins. It has every object that is there.
    Begun,
    /// An object of the list.
    Listed(Box<Event>),
    /// The list is complete.
    Complete,
    /// An object was added, changed or deleted.
    Changed(Box<Event>),
    /// The server has begun to answer the watch. There may be nothing to tell for long.
    Watching,
    /// The API server cannot be reached, or refuses. The watch tries again.
    Failed(WatchFailure),
}

/// A kind of objects that can be watched.
pub(crate) trait Watchable: Kind + Sized {
    const SOURCE: Source;

    fn present(self) -> Event;
    fn deleted(self) -> Event;
}

impl Watchable for Service {
    const SOURCE: Source = Source::Services;

    fn present(mut self) -> Event {
        // The selector has decided. The conversion would leave the service to another proxy.
        self.metadata.labels.remove(PROXY_NAME);
        Event::Service(self)
    }

    fn deleted(self) -> Event {
        Event::ServiceDeleted(self.metadata.object_name())
    }
}

impl Watchable for EndpointSlice {
    const SOURCE: Source = Source::Slices;

    fn present(mut self) -> Event {
        self.metadata.labels.remove(PROXY_NAME);
        Event::Slice(self)
    }

    fn deleted(self) -> Event {
        Event::SliceDeleted(self.metadata.object_name())
    }
}

impl Watchable for Node {
    const SOURCE: Source = Source::Node;

    fn present(self) -> Event {
        Event::Node(self)
    }

    fn deleted(self) -> Event {
        Event::NodeDeleted(self.metadata.name)
    }
}

impl Watchable for Pod {
    const SOURCE: Source = Source::Pods;

    fn present(self) -> Event {
        Event::Pod(self)
    }

    fn deleted(self) -> Event {
        Event::PodDeleted(self.metadata.object_name())
    }
}

/// The watches. They end when this is dropped.
#[derive(Debug)]
pub(crate) struct Watches {
    pub(crate) notices: mpsc::Receiver<(Source, Notice)>,
    _tasks: JoinSet<()>,
}

impl Watches {
    /// Starts the watches that a conversion with these options needs.
    pub(crate) fn start(client: &Client, options: &Options, proxy_name: Option<&str>) -> Self {
        let node = &options.node_name;
        let (sender, notices) = mpsc::channel(MOST_WAITING);
        let mut tasks = JoinSet::new();
        let labelled = watcher::Config::default().labels(&selector(proxy_name));
        let own = watcher::Config::default().fields(&format!("metadata.name={node}"));
        tasks.spawn(follow::<Service>(client.clone(), labelled.clone(), sender.clone()));
        tasks.spawn(follow::<EndpointSlice>(client.clone(), labelled, sender.clone()));
        if options.pod_weights {
            let all = watcher::Config::default();
            tasks.spawn(follow::<Pod>(client.clone(), all, sender.clone()));
        }
        tasks.spawn(follow::<Node>(client.clone(), own, sender));
        Self { notices, _tasks: tasks }
    }
}
