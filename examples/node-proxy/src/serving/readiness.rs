//! The answer of `/readyz`.

use std::time::Instant;

use super::proxy_health::ProxyHealth;
use crate::cluster::TableState;

/// Returns why the program does not serve as the cluster wants it, or `None` if it is ready. `is_listed` says whether
/// all lists of the cluster are complete.
pub(super) fn trouble(
    is_listed: bool,
    table: &TableState,
    health: &ProxyHealth,
    now: Instant,
) -> Option<String> {
    let reason = match table.trouble() {
        Some(_) if !is_listed => "the lists of the cluster are not complete",
        Some(trouble) => trouble,
        None if !health.is_healthy(now) => "a change has not reached the table for a minute",
        None => return None,
    };
    Some(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Moment;
    use super::*;

    #[test]
    fn a_program_is_ready_once_the_table_is_right() {
        let (mut health, start) = (ProxyHealth::default(), Moment::now());
        let at = |listed, table: &TableState, health: &ProxyHealth, seconds| {
            trouble(listed, table, health, start.instant + Duration::from_secs(seconds))
        };
        let said = |text: &str| Some(text.to_owned());
        let (starting, kept) = (TableState::Starting, TableState::Kept);
        let listing = "the lists of the cluster are not complete";
        assert_eq!(at(false, &starting, &health, 0), said(listing));
        let writing = "the table is not as the cluster wants it yet";
        assert_eq!(at(true, &starting, &health, 0), said(writing));
        assert_eq!(at(true, &kept, &health, 0), None);
        health.set_waiting(None, start);
        health.set_waiting(Some(start), start);
        assert_eq!(at(true, &kept, &health, 59), None);
        let late = "a change has not reached the table for a minute";
        assert_eq!(at(true, &kept, &health, 60), said(late));
        let failing = TableState::Failing("no module".to_owned());
        assert_eq!(at(true, &failing, &health, 0), said("no module"));
    }
}
