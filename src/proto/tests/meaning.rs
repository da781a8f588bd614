//! What a request says, however it says it.

use std::collections::BTreeMap;

use crate::model::{Change, ServiceId};
use crate::proto::Session;
use crate::proto::tests::{PORT, family};
use crate::uapi::*;
use crate::wire::Request;
use crate::wire::tests::raw::{Raw, split};

const REQUEST: u16 = 0x1;
const DUMP: u16 = 0x300;

/// Command, dump or not, and the attributes by kind. An attribute outside of the
/// nests is in the nest 0.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    command: u8,
    dump: bool,
    attributes: BTreeMap<(u16, u16), Vec<u8>>,
}

impl Meaning {
    /// The meaning of a message. What the kernel does not look at is left out, and
    /// so is what says the same as leaving it out:
    ///
    /// - a service's settings, where it is only named; ipvsadm repeats them empty
    /// - a destination's and a daemon's settings, where it is only to be removed
    /// - the family of a destination, where it is the service's; ipvsadm always
    ///   sends it
    /// - tunnel attributes of 0, which ipvsadm always sends
    /// - timeouts of 0, which leave the timeout as it is
    pub(crate) fn of(raw: &Raw) -> Self {
        assert_eq!(raw.kind, family().number());
        assert_eq!(raw.flags & REQUEST, REQUEST);
        let mut attributes = BTreeMap::new();
        for (kind, value) in split(raw.attributes()) {
            if matches!(kind, IPVS_CMD_ATTR_SERVICE | IPVS_CMD_ATTR_DEST | IPVS_CMD_ATTR_DAEMON) {
                attributes.extend(split(&value).into_iter().map(|(inner, v)| ((kind, inner), v)));
            } else {
                attributes.insert((0, kind), value);
            }
        }
        let service_family = attributes.get(&(IPVS_CMD_ATTR_SERVICE, IPVS_SVC_ATTR_AF)).cloned();
        let command = raw.command();
        attributes.retain(|(nest, kind), value| match *nest {
            IPVS_CMD_ATTR_SERVICE => {
                let whole = matches!(command, IPVS_CMD_NEW_SERVICE | IPVS_CMD_SET_SERVICE);
                whole || *kind <= IPVS_SVC_ATTR_FWMARK
            }
            IPVS_CMD_ATTR_DEST => match *kind {
                IPVS_DEST_ATTR_ADDR | IPVS_DEST_ATTR_PORT => true,
                IPVS_DEST_ATTR_ADDR_FAMILY => Some(&*value) != service_family.as_ref(),
                _ if command == IPVS_CMD_DEL_DEST => false,
                IPVS_DEST_ATTR_TUN_TYPE..=IPVS_DEST_ATTR_TUN_FLAGS => {
                    value.iter().any(|byte| *byte != 0)
                }
                _ => true,
            },
            IPVS_CMD_ATTR_DAEMON => {
                command != IPVS_CMD_DEL_DAEMON || *kind == IPVS_DAEMON_ATTR_STATE
            }
            _ => value.iter().any(|byte| *byte != 0),
        });
        Self { command, dump: raw.flags & DUMP == DUMP, attributes }
    }
}

/// A request with a change of its own.
#[derive(Clone, Debug)]
pub(crate) enum Asked {
    Change(Change),
    Read(Request<'static>),
}

impl From<Change> for Asked {
    fn from(change: Change) -> Self {
        Self::Change(change)
    }
}

impl Asked {
    pub(crate) const INFO: Self = Self::Read(Request::Info);

    pub(crate) const fn service(id: ServiceId) -> Self {
        Self::Read(Request::Service(id))
    }

    pub(crate) const fn destinations(id: ServiceId) -> Self {
        Self::Read(Request::Destinations(id))
    }

    /// What a client of this crate says.
    pub(crate) fn meaning(&self) -> Meaning {
        let (mut session, mut buffer) = (Session::new(PORT), Vec::new());
        match self {
            Self::Change(change) => {
                let requests = [Request::Change(change)].into_iter();
                drop(session.batch(&mut buffer, family(), requests, false));
            }
            Self::Read(
                request @ (Request::Services | Request::Destinations(_) | Request::Daemons),
            ) => drop(session.dump(&mut buffer, family(), request)),
            Self::Read(request) => drop(session.single(&mut buffer, family(), request)),
        }
        let [message] = &Raw::all(&buffer)[..] else { panic!("not one message") };
        Meaning::of(message)
    }
}
