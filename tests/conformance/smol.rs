//! The smol client, connected to the namespace of the thread.

use async_io::block_on as wait;
use ipvs_netlink::smol::Client as Async;

pub(crate) use crate::blocking::Blocking;
use crate::place::here;

#[path = "../live/facade.rs"]
mod facade;
use facade::facade;

facade!(Async, wait);

impl Client {
    pub(crate) fn connect() -> Result<Self> {
        wait(Async::fake_in(&here())).map(Self)
    }
}
