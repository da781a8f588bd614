//! The text of the file, and what it has to say next.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use ipvs_netlink::ServiceId;

/// What the file has, and what it is to have.
#[derive(Debug)]
pub(super) struct Ledger {
    /// The first line.
    head: String,
    services: BTreeSet<ServiceId>,
    state: State,
}

/// How the file is, compared with the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// It is absent, of other contents, or perhaps not whole.
    New,
    /// It names services that have left.
    Stale,
    /// It has the same.
    Same,
}

impl Ledger {
    /// Creates a ledger without services, of a network namespace.
    pub(super) fn new(namespace: &str) -> Self {
        Self {
            head: format!("node-proxy 1 {namespace}"),
            services: BTreeSet::new(),
            state: State::New,
        }
    }

    /// Takes in the text of the file. Returns lines about what cannot be used.
    pub(super) fn read(&mut self, text: &str) -> Vec<String> {
        // A line without its end was being written when the program was killed, before its service was made.
        let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
        let mut lines = whole.lines();
        match lines.next() {
            Some(head) if head == self.head => {}
            None => return Vec::new(),
            Some(head) => {
                let head: String = head.escape_debug().take(80).collect();
                let wanted = &self.head;
                return vec![format!("not used: it begins with {head:?} and not with {wanted:?}")];
            }
        }
        let mut bad = 0_usize;
        for line in lines {
            match line.parse() {
                Ok(id) => drop(self.services.insert(id)),
                Err(_) => bad += 1,
            }
        }
        if bad > 0 {
            return vec![format!("{bad} lines are not used")];
        }
        if text.ends_with('\n') {
            self.state = State::Same;
        }
        Vec::new()
    }

    pub(super) fn services(&self) -> impl Iterator<Item = ServiceId> {
        self.services.iter().copied()
    }

    /// Adds services. Returns the lines that the file needs for them.
    pub(super) fn make(&mut self, ids: impl IntoIterator<Item = ServiceId>) -> String {
        let mut text = String::new();
        for id in ids {
            if self.services.insert(id) {
                // A string takes everything.
                let _ = writeln!(text, "{id}");
            }
        }
        text
    }

    /// Removes a service.
    pub(super) fn left(&mut self, id: ServiceId) {
        if self.services.remove(&id) && self.state == State::Same {
            self.state = State::Stale;
        }
    }

    /// Notes that the file has the whole text.
    pub(super) fn replaced(&mut self) {
        self.state = State::Same;
    }

    /// Notes that the file may not be whole.
    pub(super) fn failed(&mut self) {
        self.state = State::New;
    }

    /// Returns `true` if the file is to be written as a whole before anything is appended.
    pub(super) fn is_new(&self) -> bool {
        self.state == State::New
    }

    /// Returns `true` if the file names what has left, or lacks what has been made.
    pub(super) fn is_stale(&self) -> bool {
        match self.state {
            State::New => !self.services.is_empty(),
            State::Stale => true,
            State::Same => false,
        }
    }

    /// Returns the whole text.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{}\n", self.head);
        for id in &self.services {
            let _ = writeln!(text, "{id}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(port: u16) -> ServiceId {
        ServiceId::tcp(([10, 96, 0, 10], port).into())
    }

    const HEAD: &str = "node-proxy 1 net:[1]";

    fn ledger() -> Ledger {
        Ledger::new("net:[1]")
    }

    #[test]
    fn what_one_run_made_the_next_one_reads() {
        let mut ledger = ledger();
        assert_eq!(ledger.make([id(80), id(81)]), "TCP 10.96.0.10:80\nTCP 10.96.0.10:81\n");
        assert!(ledger.is_new());
        ledger.replaced();
        let text = ledger.text();
        assert_eq!(text, format!("{HEAD}\nTCP 10.96.0.10:80\nTCP 10.96.0.10:81\n"));
        let mut next = Ledger::new("net:[1]");
        assert_eq!(next.read(&text), [""; 0]);
        assert!(next.services().eq([id(80), id(81)]));
        // What it has already needs no line.
        assert_eq!(
            (next.make([id(81)]), next.is_new(), next.is_stale()),
            (String::new(), false, false)
        );
        next.left(id(81));
        assert!(next.is_stale());
        assert_eq!(next.text(), format!("{HEAD}\nTCP 10.96.0.10:80\n"));
    }

    #[test]
    fn a_line_that_was_not_finished_is_no_line_and_the_file_is_replaced() {
        let mut ledger = ledger();
        let told = ledger.read(&format!("{HEAD}\nTCP 10.96.0.10:80\nTCP 10.96.0.10:8"));
        assert_eq!(told, [""; 0]);
        assert!(ledger.services().eq([id(80)]) && ledger.is_new());
    }

    #[test]
    fn foreign_text_is_not_used() {
        for (text, lines) in [
            ("", [].as_slice()),
            ("x\n", &["not used: it begins with \"x\" and not with \"node-proxy 1 net:[1]\""]),
            (
                "node-proxy 1 net:[2]\nTCP 10.96.0.10:80\n",
                &[
                    "not used: it begins with \"node-proxy 1 net:[2]\" and not with \"node-proxy 1 net:[1]\"",
                ],
            ),
            ("node-proxy 1 net:[1]\nrm -rf /\n\n\n", &["2 lines are not used"]),
        ] {
            let mut ledger = ledger();
            assert_eq!(ledger.read(text), lines, "{text:?}");
            assert_eq!(ledger.services().count(), 0);
            assert!(ledger.is_new());
        }
    }
}
