//! The blocking client, connected to the namespace of the thread.

use std::ops::{Deref, DerefMut};

use crate::place::here;

pub(crate) use Client as Blocking;

#[derive(Debug)]
pub(crate) struct Client(ipvs_netlink::Client);

impl Client {
    pub(crate) fn connect() -> ipvs_netlink::Result<Self> {
        ipvs_netlink::Client::fake_in(&here()).map(Self)
    }
}

impl Deref for Client {
    type Target = ipvs_netlink::Client;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}
