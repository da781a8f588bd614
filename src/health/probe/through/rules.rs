//! Which checks can go through the address of which service, and to which destination.

use std::collections::BTreeSet;
use std::iter;

use crate::health::Watched;
use crate::health::probe::Probe;
use crate::health::through::{LONGEST_CHECK, Pair, ThroughError};
use crate::model::{Destination, ServiceId};
use crate::table::TableDestination;

impl Probe {
    /// Checks that this check can go [through](Self::through) the address of the service.
    /// [`Runner::watch`](crate::health::probe::Runner::watch) does this, too. A check that goes to the
    /// destination itself passes.
    ///
    /// ```
    /// use ipvs_netlink::ServiceId;
    /// use ipvs_netlink::health::probe::Probe;
    ///
    /// let web = ServiceId::tcp("192.0.2.10:80".parse()?);
    /// assert!(Probe::tcp().through().validate_through(web).is_ok());
    /// let error = Probe::icmp().through().validate_through(web).unwrap_err();
    /// assert_eq!(error.to_string(), "a check by ICMP cannot go through the virtual address");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// - [`ThroughError::Kind`]: IPVS schedules no packets of this kind of check;
    /// - [`ThroughError::MarkGiven`]: the origin has a firewall mark;
    /// - [`ThroughError::TooLong`]: the timeout is longer than 60 s;
    /// - [`ThroughError::NoAddress`]: the service is one of a firewall mark;
    /// - [`ThroughError::NoPort`]: service and check have no port;
    /// - [`ThroughError::SourceFamily`]: the origin's source address is of the other family.
    pub fn validate_through(&self, service: ServiceId) -> Result<(), ThroughError> {
        if !self.through {
            return Ok(());
        }
        self.kind.sends_datagrams()?;
        if let Some(mark) = self.origin.mark {
            return Err(ThroughError::MarkGiven(mark));
        }
        if self.timeout > LONGEST_CHECK {
            return Err(ThroughError::TooLong);
        }
        let address = service.address().ok_or(ThroughError::NoAddress(service))?;
        if address.port() == 0 && self.port.unwrap_or(0) == 0 {
            return Err(ThroughError::NoPort(service));
        }
        match self.origin.source.filter(|it| it.is_ipv4() != address.is_ipv4()) {
            Some(source) => Err(ThroughError::SourceFamily(source)),
            None => Ok(()),
        }
    }

    /// Checks that this check can go through the address of the service to this destination. What
    /// [`validate_through`](Self::validate_through) finds comes first.
    ///
    /// # Errors
    ///
    /// - those of [`validate_through`](Self::validate_through);
    /// - [`ThroughError::Forwarding`]: the destination's forwarding method takes no check;
    /// - [`ThroughError::SourceNeeded`]: the destination is of the other family, and the origin has no
    ///   source address.
    pub fn validate_through_to(
        &self,
        service: ServiceId,
        destination: &Destination,
    ) -> Result<(), ThroughError> {
        match self.through {
            true => self.pair(service, destination).map(drop),
            false => Ok(()),
        }
    }

    /// Returns what this check of a destination needs a mark for.
    fn pair(&self, service: ServiceId, destination: &Destination) -> Result<Pair, ThroughError> {
        self.validate_through(service)?;
        let one_packet = self.kind.sends_datagrams()?;
        let pair = Pair::new(service, destination, self.port, one_packet)?;
        let is_other = pair.destination.address.is_ipv4() != pair.target.is_ipv4();
        match self.origin.source {
            None if is_other => Err(ThroughError::SourceNeeded),
            _ => Ok(pair),
        }
    }
}

/// Returns what the checks of a service need marks for.
pub(in crate::health::probe) fn pairs(
    watched: &Watched<Probe>,
    has_marks: bool,
) -> Result<BTreeSet<Pair>, ThroughError> {
    let service = watched.id();
    let table = &watched.service;
    let alike = table.destinations().filter(|there| !watched.checks_of.contains_key(&there.id()));
    let each = (&watched.checks, alike.collect::<Vec<&TableDestination>>());
    let otherwise = watched.checks_of.iter();
    let otherwise =
        otherwise.map(|(id, own)| (&own.checks, Vec::from_iter(table.destination(*id))));
    let mut pairs = BTreeSet::new();
    for (checks, destinations) in iter::once(each).chain(otherwise) {
        for (probe, _) in checks.iter().filter(|(probe, _)| probe.through) {
            if !has_marks {
                return Err(ThroughError::NoMarks);
            }
            probe.validate_through(service)?;
            for destination in &destinations {
                pairs.insert(probe.pair(service, destination.destination())?);
            }
        }
    }
    Ok(pairs)
}
