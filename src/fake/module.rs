use crate::fake::state::State;

/// The module `ip_vs`.
#[derive(Debug)]
pub(super) struct Module {
    /// The id of the family while the module is loaded.
    pub(super) family: Option<u16>,
    next_family: u16,
    /// Whether `modprobe` finds the module.
    pub(super) loadable: bool,
}

const FIRST_FAMILY: u16 = 28;
/// The largest id of a generic netlink family.
const LAST_FAMILY: u16 = 1023;

impl Module {
    pub(super) const fn new() -> Self {
        Self { family: Some(FIRST_FAMILY), next_family: FIRST_FAMILY + 1, loadable: true }
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
    /// Unloads the module: the table is empty, and dumps end.
    pub(super) fn unload(&mut self) {
        self.module.family = None;
        self.table.clear();
        for socket in self.sockets.iter_mut() {
            if let Some(dump) = &mut socket.dump {
                dump.position = usize::MAX;
            }
        }
    }
}
