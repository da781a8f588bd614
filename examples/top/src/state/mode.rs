use ipvs_netlink::{DestinationId, ServiceId};

use crate::state::Filter;
use crate::state::connections::Place;
use crate::state::steering::Proposal;

/// What fills the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// All services.
    Overview,
    /// One service with its destinations.
    Service(ServiceId),
    /// Connections.
    Connections(Place),
    /// What has changed.
    Changes,
}

/// What keys do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They move and order.
    #[default]
    Normal,
    /// They edit the filter, which was this before.
    Filter(Filter),
    /// They edit a weight for a destination of a service.
    Weight(ServiceId, DestinationId, String),
    /// They answer a question.
    Confirm(Box<Proposal>),
    /// They scroll the help, which begins at this line.
    Help(usize),
}

/// A line for the user, at the bottom of the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whether something went wrong.
    pub is_bad: bool,
    /// The text. It may contain texts from outside.
    pub text: String,
}

impl Note {
    pub(crate) fn good(text: impl Into<String>) -> Self {
        Self { is_bad: false, text: text.into() }
    }

    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self { is_bad: true, text: text.into() }
    }
}
