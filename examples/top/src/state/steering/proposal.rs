//! What a user wants, and the questions, orders and undos that come of it.

use ipvs_netlink::DestinationId;

use crate::state::steering::Order;

/// What a user wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// No new connections for a destination.
    Drain(DestinationId),
    /// The end of a drain.
    Restore(DestinationId),
    /// Another weight.
    Weight(DestinationId, u32),
    /// All counters of a service at 0.
    Zero,
}

/// An order on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Errand {
    /// The order.
    pub order: Order,
    /// What takes the order back; or, with the same order, what the order takes back.
    pub undo: Option<Undo>,
}

impl Errand {
    /// Whether the order takes an earlier one back.
    #[must_use]
    pub fn is_undo(&self) -> bool {
        self.undo.as_ref().is_some_and(|undo| undo.order == self.order)
    }
}

/// An order that waits for a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What will happen, one line each.
    pub question: Vec<String>,
    /// The order.
    pub order: Order,
    /// What takes it back, if something does.
    pub undo: Option<Undo>,
    /// Whether the question was on the screen, as a whole. Only then it can be answered with yes.
    pub is_shown: bool,
}

impl Proposal {
    pub(crate) const fn new(question: Vec<String>, order: Order, undo: Option<Undo>) -> Self {
        Self { question, order, undo, is_shown: false }
    }
}

/// What takes an order back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What will happen.
    pub question: String,
    /// The order.
    pub order: Order,
}
