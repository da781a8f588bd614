use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;

use super::names::{NameError, Names};
use crate::model::{AddressFamily, Protocol};

/// Looks up each host once and remembers the answer.
///
/// A host with several addresses must be the same address in every line of a text: a resolver
/// may answer with another one each time.
pub(crate) struct CachedNames<'n> {
    names: &'n dyn Names,
    hosts: RefCell<HashMap<(String, AddressFamily), Result<IpAddr, NameError>>>,
}

impl<'n> CachedNames<'n> {
    pub(crate) fn new(names: &'n dyn Names) -> Self {
        Self { names, hosts: RefCell::default() }
    }
}

impl Names for CachedNames<'_> {
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError> {
        let key = (name.to_owned(), family);
        if let Some(known) = self.hosts.borrow().get(&key) {
            return known.clone();
        }
        let found = self.names.host(name, family);
        self.hosts.borrow_mut().insert(key, found.clone());
        found
    }

    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError> {
        self.names.port(name, protocol)
    }
}
