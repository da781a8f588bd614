pub(crate) use async_io::block_on as wait;
pub(crate) use ipvs_netlink::Client as Blocking;
pub(crate) use ipvs_netlink::smol::Client as Async;

#[path = "../live/facade.rs"]
mod facade;
use facade::facade;

facade!(Async, wait);
facade!(@connect Async, wait);
