use crate::model::{Destination, DestinationEntry, DestinationId};

/// A destination of a [`TableService`](crate::table::TableService), with a fixed weight or with any weight.
///
/// ```
/// use ipvs_netlink::Destination;
/// use ipvs_netlink::table::TableDestination;
///
/// let server = Destination::masquerade("10.0.0.2:8080".parse()?);
/// assert_eq!(TableDestination::from(server.clone().weight(0)).weight(), Some(0));
/// let open = TableDestination::of_any_weight(server).initially(3);
/// assert_eq!(open.weight(), None);
/// assert_eq!(open.destination().weight, 3); // what it is added with
/// # Ok::<(), std::net::AddrParseError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDestination {
    destination: Destination,
    weighted: bool,
}

impl TableDestination {
    /// Creates a destination whose weight another program sets, such as a health check.
    ///
    /// A plan adds the destination with the weight of `destination`, 1 by default; see
    /// [`initially`](Self::initially). If the kernel has the destination with another weight, a
    /// plan keeps that weight only with
    /// [`PlanOptions::keep_weights`](crate::table::PlanOptions::keep_weights).
    #[must_use]
    pub const fn of_any_weight(destination: Destination) -> Self {
        Self { destination, weighted: false }
    }

    /// Sets the initial weight, 0 to 2147483647.
    ///
    /// A plan adds a destination [of any weight](Self::of_any_weight) with this weight, and sets
    /// this weight where weights are not kept. With 0 the destination gets no new connections at
    /// first. For a destination with a fixed weight, this sets that weight.
    #[must_use]
    pub fn initially(mut self, weight: u32) -> Self {
        self.destination.weight = weight;
        self
    }

    /// Returns the id of the destination.
    #[must_use]
    pub const fn id(&self) -> DestinationId {
        self.destination.id
    }

    /// Returns the settings of the destination. The weight is the fixed one or the initial one.
    #[must_use]
    pub const fn destination(&self) -> &Destination {
        &self.destination
    }

    /// Returns the fixed weight, or `None` for any weight. 0 is a fixed weight: the destination
    /// gets no new connections.
    #[must_use]
    pub const fn weight(&self) -> Option<u32> {
        if self.weighted { Some(self.destination.weight) } else { None }
    }
}

impl From<Destination> for TableDestination {
    /// Makes a destination whose fixed weight is that of `destination`.
    fn from(destination: Destination) -> Self {
        Self { destination, weighted: true }
    }
}

impl From<&DestinationEntry> for TableDestination {
    fn from(entry: &DestinationEntry) -> Self {
        Self::from(entry.destination.clone())
    }
}
