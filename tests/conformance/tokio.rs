//! The tokio client, connected to the namespace of the thread.

use std::future::Future;
use std::sync::LazyLock;

use ipvs_netlink::tokio::Client as Async;
use tokio::runtime::{Builder, Runtime};

pub(crate) use crate::blocking::Blocking;
use crate::place::here;

#[path = "../live/facade.rs"]
mod facade;
use facade::facade;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
});

fn wait<F: Future>(future: F) -> F::Output {
    RUNTIME.block_on(future)
}

facade!(Async, wait);

impl Client {
    pub(crate) fn connect() -> Result<Self> {
        wait(Async::fake_in(&here())).map(Self)
    }
}
