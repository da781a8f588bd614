use std::str::FromStr;
use std::time::Duration;

use crate::kubernetes::excerpt::Excerpt;
use crate::model::InvalidValue;
use crate::table::DrainPolicy;
use crate::table::document::duration;

/// How the endpoints of a service leave (annotation `ipvs-netlink/drain`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Drain {
    /// `at-once`: they are deleted, which breaks their connections.
    AtOnce,
    /// A duration such as `90s`: after this time, connections that still carry data are cut.
    Within(Duration),
    /// `forever`: they wait for their last connection, as with kube-proxy.
    Forever,
}

impl Drain {
    /// Returns the policy: `usual` with another deadline. `None` means to delete at once.
    #[must_use]
    pub fn policy(self, usual: DrainPolicy) -> Option<DrainPolicy> {
        match self {
            Self::AtOnce => None,
            Self::Within(deadline) => Some(usual.deadline(Some(deadline))),
            Self::Forever => Some(usual.deadline(None)),
        }
    }
}

impl FromStr for Drain {
    type Err = InvalidValue;

    /// Reads what the annotation says.
    fn from_str(text: &str) -> Result<Self, InvalidValue> {
        match text {
            "at-once" => Ok(Self::AtOnce),
            "forever" => Ok(Self::Forever),
            _ => duration::parse(text).map(Self::Within).ok_or_else(|| {
                let rule = "must be at-once, forever, or a duration such as 90s or 5m";
                InvalidValue::new("drain", Excerpt::of(text).quoted(), rule)
            }),
        }
    }
}
