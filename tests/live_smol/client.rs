use async_io::block_on;

#[path = "../live/facade.rs"]
mod facade;
use facade::facade;

facade!(ipvs_netlink::smol::Client, block_on);
