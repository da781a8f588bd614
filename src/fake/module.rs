use crate::fake::state::State;

/// The module `ip_vs`.
#[derive(Debug)]
pub(super) struct Module {
    /// The id of the family while the module is loaded.
    pub(super) family: Option<u16>,
    next_family: u16,
    /// Whether `modprobe` finds the module.
    pub(super) loadable: bool,
    /// How many datagrams are executed in part.
    executing: usize,
    /// Whether the module is unloaded when none is.
    unloading: bool,
}

const FIRST_FAMILY: u16 = 28;
/// The largest id of a generic netlink family.
const LAST_FAMILY: u16 = 1023;

impl Module {
    pub(super) const fn new() -> Self {
        Self {
            family: Some(FIRST_FAMILY),
            next_family: FIRST_FAMILY + 1,
            loadable: true,
            executing: 0,
            unloading: false,
        }
    }

    /// Loads the module, if it can be loaded. Returns the id of its family.
    pub(super) fn load(&mut self) -> Option<u16> {
        if self.family.is_none() && self.loadable {
            self.family = Some(self.next_family);
            let next = self.next_family + 1;
            self.next_family = if next > LAST_FAMILY { FIRST_FAMILY } else { next };
        }
        self.family
    }
}

impl State {
    /// Notes that the kernel has begun to execute a datagram. It holds a lock for the whole
    /// datagram, so all of its requests meet the same family.
    ///
    /// Source: `genetlink.c:genl_rcv` and `genl_unregister_family`.
    pub(super) const fn begin_datagram(&mut self) {
        self.module.executing += 1;
    }

    /// Notes that a datagram is executed.
    pub(super) fn end_datagram(&mut self) {
        self.module.executing -= 1;
        if self.module.executing == 0 && self.module.unloading {
            self.unload();
        }
    }

    /// Unloads the module, now or when the datagram that is being executed is: the table is
    /// empty, and dumps end.
    pub(super) fn unload(&mut self) {
        self.module.unloading = self.module.executing > 0;
        if self.module.unloading {
            return;
        }
        self.module.family = None;
        self.table.clear();
        for socket in self.sockets.iter_mut() {
            if let Some(dump) = &mut socket.dump {
                dump.position = usize::MAX;
            }
        }
    }
}
