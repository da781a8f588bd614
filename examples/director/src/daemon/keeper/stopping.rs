//! Ends the daemon.

use std::time::Duration;

use ipvs_netlink::ServiceId;
use ipvs_netlink::health::probe::Update;
use ipvs_netlink::health::through::MarkRange;
use ipvs_netlink::table::controller::{Controller, ControllerOptions, Request, Wish};
use tokio::task::spawn_blocking;
use tokio::time::Instant;

use crate::daemon::keeper::{Keeper, Woken};
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

/// The longest that the removal of what checks have put into the table takes.
const CLEAN_UP: Duration = Duration::from_secs(5);

impl Keeper {
    /// Ends the daemon. The table stays as it is, or all services leave.
    pub(super) async fn stop(mut self) -> Result<(), Failure> {
        let now = Moment::now();
        let (text, longest) = match self.arguments.on_stop {
            OnStop::Keep => ("the daemon ends, and the table stays as it is", CLEAN_UP),
            OnStop::Withdraw => (
                "the daemon ends, and its services leave the table",
                self.arguments.longest_stop() + CLEAN_UP,
            ),
        };
        self.systemd.stopping(longest);
        self.desk.tell(Event::new(now.wall, Severity::Note, "stopping", text));
        self.carry_out().await;
        let left = self.stop_checks().await;
        match self.arguments.on_stop {
            OnStop::Keep => {
                // Another controller, so that nothing else is done to the table.
                let mut controller = Controller::new(ControllerOptions::new());
                controller.formerly(left);
                self.client.settle(&mut controller, CLEAN_UP, |_| ()).await;
                // A command that runs is not killed half way.
                self.finish_commands().await;
                Ok(())
            }
            OnStop::Withdraw => self.withdraw().await,
        }
    }

    /// Ends the thread of the checks. Returns the services of marks that are still in the table.
    async fn stop_checks(&mut self) -> Vec<ServiceId> {
        let runner = self.runner.take();
        // Waits for a check that blocks. A panic there has ended the thread, too.
        let _ = spawn_blocking(move || drop(runner)).await;
        let updates = std::iter::from_fn(|| self.updates.try_next());
        of_checks(updates, self.desk.configuration().marks)
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
        Err(Failure::NotWithdrawn {
            services: self.controller.owned().count(),
            announced: self.announcing.forgotten().map(|id| id.to_string()).collect(),
        })
    }

    /// Waits for the ends of the commands that run. No other one begins.
    async fn finish_commands(&mut self) {
        let mut told = Vec::new();
        let longest = self.arguments.longest_stop();
        self.announcing.finish(longest, |event| told.push(event)).await;
        told.into_iter().for_each(|event| self.tell(event));
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
