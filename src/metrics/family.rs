/// A family of samples: what they measure, under one name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Family {
    /// The name, without the suffix `_total` of counters. It is ASCII and a valid name in Prometheus.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The unit, or `None` for numbers of things. The name ends with the unit.
    pub unit: Option<Unit>,
    /// One sentence for people, in ASCII.
    pub help: &'static str,
}

impl Family {
    pub(in crate::metrics) const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit: None, help }
    }

    pub(in crate::metrics) const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: None, help }
    }

    pub(in crate::metrics) const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: None, help }
    }

    pub(in crate::metrics) const fn unit(mut self, unit: Unit) -> Self {
        self.unit = Some(unit);
        self
    }

    /// Returns what follows the name in the name of its samples: `_total` for counters.
    #[must_use]
    pub const fn suffix(&self) -> &'static str {
        match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge | Kind::Histogram => "",
        }
    }
}

/// The type of a [`Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A number that only grows, until it is reset to 0. Its value is a [`Value::Integer`](super::Value).
    Counter,
    /// A number that grows and shrinks.
    Gauge,
    /// A distribution. Its value is a [`Value::Histogram`](super::Value).
    Histogram,
}

impl Kind {
    /// Returns the word for the type in the text formats, such as `counter`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The unit of a [`Family`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Seconds, or seconds since 1970 where the name says so.
    Seconds,
}

impl Unit {
    /// Returns the word for the unit, such as `seconds`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Seconds => "seconds",
        }
    }
}
