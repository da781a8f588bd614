//! Whether the kernel's table holds what is wanted.

use std::collections::HashSet;

use ipvs_netlink::ServiceId;

/// The wishes whose fate the controller does not know yet, and whether the whole table was read.
#[derive(Debug, Default)]
pub(super) struct Completeness {
    unsettled: HashSet<ServiceId>,
    is_read: bool,
}

impl Completeness {
    /// Notes that a virtual service is wished, and whether its fate is unknown.
    pub(super) fn wish(&mut self, id: ServiceId, is_unsettled: bool) {
        match is_unsettled {
            true => self.unsettled.insert(id),
            false => self.unsettled.remove(&id),
        };
    }

    /// Notes that a virtual service is as wished, cannot be for now, or is to leave.
    pub(super) fn settle(&mut self, id: ServiceId) {
        self.unsettled.remove(&id);
    }

    /// Notes whether the whole table was read since the last failure of all.
    pub(super) const fn read(&mut self, is_read: bool) {
        self.is_read = is_read;
    }

    /// Returns `true` if each wish is in the table, or cannot be. Others may leave still.
    pub(super) fn is_complete(&self) -> bool {
        self.is_read && self.unsettled.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_complete_when_it_was_read_and_has_each_wish() {
        let [a, b] = [80, 81].map(|port| ServiceId::tcp(([10, 96, 0, 10], port).into()));
        let mut table = Completeness::default();
        assert!(!table.is_complete());
        table.wish(a, true);
        table.wish(b, true);
        table.read(true);
        table.settle(a);
        assert!(!table.is_complete());
        // Its wish is taken back, and that of the other one is what the table has.
        table.wish(b, false);
        table.wish(a, false);
        assert!(table.is_complete());
        table.read(false);
        assert!(!table.is_complete());
    }
}
