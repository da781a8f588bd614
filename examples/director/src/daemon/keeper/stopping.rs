//! Ends the daemon.

use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::Update;
use ipvs_netlink::health::through::MarkRange;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Request, Wish};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::daemon::keeper::{Keeper, LONGEST_SLEEP, Woken};
use crate::daemon::signals::Asked;
use crate::daemon::{Failure, OnStop};
use crate::event::{Event, Severity};
use crate::moment::Moment;

/// Returns the services of marks that checks do not need any more. One that has left the file a moment
/// ago is not among them: the next start lets it leave, with its drain.
fn of_checks(updates: impl Iterator<Item = Update>, marks: Option<MarkRange>) -> Vec<ServiceId> {
    let forgotten = updates.filter_map(|update| match update {
        Update::Forget(service) => Some(service),
        _ => None,
    });
    forgotten.filter(|service| marks.is_some_and(|marks| marks.contains(*service))).collect()
}

/// The longest that the removal of what checks have put into the table takes, and the writing of the
/// state file.
pub(super) const CLEAN_UP: Duration = Duration::from_secs(5);

impl Keeper {
    /// Ends the daemon. The table stays as it is, or all services leave.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        let now = Moment::now();
        let text = match self.arguments.on_stop {
            OnStop::Keep => "the daemon ends, and the table stays as it is",
            OnStop::Withdraw => "the daemon ends, and its services leave the table",
        };
        // The table, the commands and the state file.
        self.systemd.stopping(self.arguments.longest_stop() + 3 * CLEAN_UP);
        self.desk.tell(Event::new(now.wall, Severity::Note, "stopping", text));
        self.carry_out().await;
        let left = self.stop_checks().await;
        match self.arguments.on_stop {
            OnStop::Keep => {
                // Another controller, so that nothing else is done to the table.
                let mut controller = Controller::new(ControllerOptions::new());
                controller.formerly(left);
                self.client.settle(&mut controller, CLEAN_UP, |_| ()).await;
                self.finish_commands().await;
                self.save_at_last(CLEAN_UP).await;
                Ok(())
            }
            OnStop::Withdraw => self.withdraw().await,
        }
    }

    /// Ends the thread of the checks. Returns the services of marks that are still in the table.
    pub(super) async fn stop_checks(&mut self) -> Vec<ServiceId> {
        let runner = self.runner.take();
        // Waits for a check that blocks. A panic there has ended the thread, too.
        let _ = spawn_blocking(move || drop(runner)).await;
        let now = Moment::now();
        let updates: Vec<_> = std::iter::from_fn(|| self.updates.try_next()).collect();
        for update in &updates {
            // What the checks have found last counts. That they end says nothing of a service.
            if let Update::Event(..) = update {
                self.desk.update(update, now);
                self.announcing.update(update, now.instant);
            }
        }
        of_checks(updates.into_iter(), self.desk.configuration().marks)
    }

    /// Lets all services leave, with their drains.
    async fn withdraw(mut self) -> Result<(), Failure> {
        let deadline = Instant::now() + self.arguments.longest_stop();
        self.desk.withdraw();
        self.announcing.forget_all();
        self.controller.accept(Request::WishAll(Vec::<Wish>::new()));
        loop {
            let due = self.round().await;
            if self.controller.is_settled() && self.announcing.is_settled() {
                self.save_at_last(CLEAN_UP).await;
                return Ok(());
            }
            if Instant::now() >= deadline {
                break;
            }
            match self.wait(due.min(deadline.into())).await {
                // Somebody does not want to wait.
                Woken::Asked(Asked::Stop) => break,
                woken => self.take_in(woken).await,
            }
        }
        self.save_at_last(CLEAN_UP).await;
        Err(Failure::NotWithdrawn {
            services: self.controller.owned().count(),
            announced: self.announcing.forgotten().map(|id| id.to_string()).collect(),
        })
    }

    /// Begins the withdrawals that are due, and waits for the ends of all commands that run. Clients
    /// must not be led to a service without live servers as long as the daemon does not run.
    pub(super) async fn finish_commands(&mut self) {
        let deadline = Instant::now() + self.arguments.longest_stop();
        self.announcing.conclude();
        loop {
            self.carry_out().await;
            let now = Instant::now();
            if !self.announcing.runs_any() || now >= deadline {
                break;
            }
            match self.wait(deadline.min(now + LONGEST_SLEEP).into()).await {
                // Somebody does not want to wait.
                Woken::Asked(Asked::Stop) => break,
                woken => self.take_in(woken).await,
            }
            self.live(Moment::now());
        }
        let left: Vec<_> = self.announcing.not_withdrawn().map(|id| id.to_string()).collect();
        if !left.is_empty() {
            let services = if left.len() == 1 { "service" } else { "services" };
            let (count, left) = (left.len(), left.join(", "));
            let text = format!("{count} {services} may be announced still: {left}");
            let now = Moment::now();
            self.tell(Event::new(now.wall, Severity::Warning, "not-withdrawn", &text));
        }
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::AddressFamily;

    use super::*;

    #[test]
    fn only_what_checks_have_made_is_removed_at_the_end() {
        let web = ServiceId::tcp(([192, 0, 2, 10], 80).into());
        let [mark, foreign] = [5, 99].map(|mark| ServiceId::fwmark(mark, AddressFamily::Ipv4));
        let updates = || [web, mark, foreign].into_iter().map(Update::Forget);
        let marks = MarkRange::new(1..=9).unwrap();
        assert_eq!(of_checks(updates(), Some(marks)), [mark]);
        assert_eq!(of_checks(updates(), None), []);
    }
}
