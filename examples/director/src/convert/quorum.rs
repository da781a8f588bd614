//! keepalived's quorum, a sum of weights, as a number of live destinations.

/// A number of destinations with its hysteresis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quorum {
    pub(super) quorum: u32,
    pub(super) hysteresis: u32,
    /// Whether it is reached and lost exactly when the sum of weights is.
    pub(super) exact: bool,
}

/// Finds the number of destinations for a sum of weights.
///
/// Where weights differ, the number is so large that it reaches the sum whichever destinations are
/// live: a service is never announced with less weight than keepalived asks for.
pub(super) fn of_weights(weights: &[u32], quorum: u32, hysteresis: u32) -> Quorum {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    // As keepalived does where the configuration asks for more than there is.
    let quorum = u64::from(quorum).min(total).max(1);
    let hysteresis = u64::from(hysteresis).min(quorum - 1);
    // A destination without weight is not counted as live.
    let mut ascending: Vec<u32> = weights.iter().copied().filter(|it| *it > 0).collect();
    ascending.sort_unstable();
    let least = |sum: u64| {
        let mut reached = 0_u64;
        let fewest = ascending.iter().position(|weight| {
            reached += u64::from(*weight);
            reached >= sum
        });
        fewest.map_or(ascending.len(), |at| at + 1)
    };
    let most = |sum: u64| {
        let mut reached = 0_u64;
        let fewest = ascending.iter().rev().position(|weight| {
            reached += u64::from(*weight);
            reached >= sum
        });
        fewest.map_or(ascending.len(), |at| at + 1)
    };
    let (gained, lost) = (quorum + hysteresis, quorum - hysteresis);
    let (up, down) = (least(gained), least(lost));
    let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Quorum {
        quorum: narrow(up - (up - down) / 2).max(1),
        hysteresis: narrow((up - down) / 2),
        exact: gained <= total
            && (up - down).is_multiple_of(2)
            && up == most(gained)
            && down == most(lost),
    }
}
