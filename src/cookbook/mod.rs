//! Recipes: whole programs for common tasks. This module has documentation and no code.
//!
//! | you want to | recipe | also found by |
//! | --- | --- | --- |
//! | switch traffic from one release to the next, or give a share to it | [`blue_and_green`] | canary, rollback |
//! | take a server out for maintenance, without breaking connections | [`draining`] | drain, graceful |
//! | keep a table as wished for ever: loops, events, restarts, tests | [`table::controller`](crate::table::controller) | controller, operator, daemon |
//! | take dead servers out of rotation, and put them back | [`health`](crate::health) | health check, failover, `real_server` |
//! | keep the table of a host as a file or an API says | [`node_agent`] | reconcile, VIP |
//! | serve the node of a Kubernetes cluster | `kubernetes` (feature of this name) | kube-proxy, `EndpointSlice` |
//! | export counters and rates | [`counters`] | Prometheus, metrics, monitoring |
//! | see the connections and templates of clients | [`connections`] | `ipvsadm -Lc`, `/proc` |
//! | work in containers and other network namespaces | [`namespaces`] | netns, Docker, pod |
//! | decide by the cause of an error | [`errors`] | retry, timeout, EPERM |
//! | test a program of your own | [`testing`] | mock, fake, dry run |
//! | use tokio, smol or another runtime | [`async_clients`] | await, futures, mutex |
//! | replace `ipvsadm` in scripts | [`from_ipvsadm`] | save, restore |
//! | port a Go program | [`from_moby_ipvs`] | libnetwork, Docker |
//! | replace keepalived's virtual servers | [`from_keepalived`] | `real_server`, `sorry_server` |
//!
//! Every program compiles as it stands. Those that need a kernel run on one with
//! `tests/kernel/run` of this crate's repository, without root. All programs that print do so
//! with `println!`; none of them needs an optional feature unless it says so.

#[doc = include_str!("async_clients.md")]
#[doc(alias = "await")]
#[doc(alias = "futures")]
#[doc(alias = "mutex")]
pub mod async_clients {}

#[doc = include_str!("blue_and_green.md")]
#[doc(alias = "canary")]
#[doc(alias = "rollback")]
#[doc(alias = "deployment")]
#[doc(alias = "rollout")]
pub mod blue_and_green {}

#[doc = include_str!("connections.md")]
#[doc(alias = "ip_vs_conn")]
#[doc(alias = "persistence")]
#[doc(alias = "template")]
pub mod connections {}

#[doc = include_str!("counters.md")]
#[doc(alias = "Prometheus")]
#[doc(alias = "metrics")]
#[doc(alias = "monitoring")]
#[doc(alias = "statistics")]
#[doc(alias = "exporter")]
pub mod counters {}

#[doc = include_str!("draining.md")]
#[doc(alias = "graceful")]
#[doc(alias = "maintenance")]
#[doc(alias = "quiesce")]
pub mod draining {}

#[doc = include_str!("errors.md")]
#[doc(alias = "retry")]
#[doc(alias = "timeout")]
#[doc(alias = "EPERM")]
#[doc(alias = "EINVAL")]
pub mod errors {}

#[doc = include_str!("from_ipvsadm.md")]
#[doc(alias = "ipvsadm-save")]
#[doc(alias = "ipvsadm-restore")]
#[doc(alias = "migration")]
pub mod from_ipvsadm {}

#[doc = include_str!("from_keepalived.md")]
#[doc(alias = "VRRP")]
#[doc(alias = "virtual_server")]
#[doc(alias = "real_server")]
#[doc(alias = "sorry_server")]
pub mod from_keepalived {}

#[doc = include_str!("from_moby_ipvs.md")]
#[doc(alias = "libnetwork")]
#[doc(alias = "Go")]
#[doc(alias = "Docker")]
pub mod from_moby_ipvs {}

#[cfg(feature = "kubernetes")]
#[cfg_attr(docsrs, doc(cfg(feature = "kubernetes")))]
#[doc = include_str!("kubernetes.md")]
#[doc(alias = "kube-proxy")]
#[doc(alias = "EndpointSlice")]
#[doc(alias = "node proxy")]
pub mod kubernetes {}

#[doc = include_str!("namespaces.md")]
#[doc(alias = "netns")]
#[doc(alias = "container")]
#[doc(alias = "pod")]
pub mod namespaces {}

#[doc = include_str!("node_agent.md")]
#[doc(alias = "controller")]
#[doc(alias = "daemon")]
#[doc(alias = "VIP")]
#[doc(alias = "loop")]
pub mod node_agent {}

#[doc = include_str!("testing.md")]
#[doc(alias = "mock")]
#[doc(alias = "fake")]
#[doc(alias = "dry run")]
#[doc(alias = "unit test")]
pub mod testing {}
