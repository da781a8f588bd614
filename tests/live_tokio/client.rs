use std::future::Future;
use std::sync::LazyLock;

pub(crate) use ipvs_netlink::Client as Blocking;
pub(crate) use ipvs_netlink::tokio::Client as Async;
use tokio::runtime::{Builder, Runtime};

#[path = "../live/facade.rs"]
mod facade;
use facade::facade;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

/// Polls on the calling thread, because its namespace and privileges count.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

facade!(Async, wait);
facade!(@connect Async, wait);
