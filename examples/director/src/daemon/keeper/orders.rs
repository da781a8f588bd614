//! Obeys orders.

use std::time::Duration;

use ipvs_netlink::health::ServiceStatus;
use ipvs_netlink::health::probe::{Probe, Runner};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::configuration::Configuration;
use crate::control::call::Call;
use crate::control::protocol::{Answer, Order};
use crate::daemon::keeper::{Keeper, reading};
use crate::moment::Moment;

/// The longest that the thread of the checks may take to say what it knows.
const PATIENCE: Duration = Duration::from_secs(2);

/// Asks the thread of the checks what it knows.
pub(super) fn asking(runner: Option<&Runner>) -> JoinHandle<Option<Vec<ServiceStatus<Probe>>>> {
    let answer = runner.map(|runner| runner.status(None));
    tokio::spawn(async move { timeout(PATIENCE, answer?).await.ok()?.ok() })
}

impl Keeper {
    pub(super) async fn obey(&mut self, call: Call) {
        match call.order {
            Order::Status { .. } | Order::Events { .. } => {
                let runner = self.runner.as_ref();
                self.asking.ask(Some(call), || asking(runner));
                return;
            }
            _ if self.runner.is_none() => {
                call.reply.send(Answer::Refused(vec!["the daemon ends".to_owned()]));
                return;
            }
            Order::Reload => return self.read(Some(call)),
            _ => {}
        }
        let is_saved = call.order.is_saved();
        let answer = self.desk.order(call.order, &call.by, Moment::now());
        let answer = self.have_saved(answer, is_saved).await;
        call.reply.send(answer);
    }

    /// Has an order done and saved before it is answered. Returns the answer, which says if it could not
    /// be saved.
    async fn have_saved(&mut self, answer: Answer, is_saved: bool) -> Answer {
        let is_saved = is_saved && matches!(answer, Answer::Done { .. });
        if is_saved {
            self.saver.hasten();
        }
        self.carry_out().await;
        match answer {
            Answer::Done { lines, .. } if is_saved => {
                let not_saved = self.saver.not_saved(self.desk.saved().1).map(str::to_owned);
                Answer::Done { lines, not_saved }
            }
            other => other,
        }
    }

    /// Answers those who wait for the state.
    pub(super) async fn report(&mut self, known: Option<Vec<ServiceStatus<Probe>>>) {
        let snapshot = self.client.snapshot().await.ok();
        let announced = |id| self.announcing.status(id);
        let (known, snapshot, now) = (known.as_deref(), snapshot.as_ref(), Moment::now());
        let mut status = self.desk.status(known, snapshot, announced, now);
        status.troubles.extend(self.announcing.troubles());
        let runner = self.runner.as_ref();
        let waiting = self.asking.take_waiting(|| asking(runner));
        for Call { order, reply, .. } in waiting {
            let mut status = status.clone();
            if let Order::Status { service, destination } = order {
                status.keep_only(service, destination);
            }
            reply.send(Answer::Status(Box::new(status)));
        }
    }

    /// Takes over a configuration that was read, or tells why not.
    pub(super) async fn take_over(&mut self, read: Result<Configuration, Vec<String>>) {
        let taken = self.try_to_take_over(read).await;
        let answer = match taken {
            Ok(lines) => Answer::done(lines),
            Err(lines) => {
                self.desk.refuse_reload(&lines, Moment::now());
                Answer::Refused(lines)
            }
        };
        let answer = self.have_saved(answer, true).await;
        let arguments = &self.arguments;
        let waiting = self.reading.take_waiting(|| reading(arguments));
        // Who has asked meanwhile waits for another reload, which is under way now.
        if self.runner.is_some() && !self.reading.is_working() {
            self.systemd.ready();
        }
        for call in waiting {
            call.reply.send(answer.clone());
        }
    }

    async fn try_to_take_over(
        &mut self,
        read: Result<Configuration, Vec<String>>,
    ) -> Result<Vec<String>, Vec<String>> {
        let configuration = read?;
        let Some(runner) = &self.runner else {
            return Err(vec!["the daemon ends".to_owned()]);
        };
        let new = self.desk.examine(&configuration)?;
        let watched = self.desk.to_be_watched(&configuration);
        runner.examine(&watched).map_err(|refused| vec![refused.to_string()])?;
        if !new.is_empty() {
            // A new service may be in the table already.
            let held = self.client.snapshot_of(&new).await.map_err(|error| {
                vec![format!("the file has new services, and the table cannot be read: {error}")]
            })?;
            self.held.found(&new, &held);
        }
        let lines = self.desk.reload(configuration, Moment::now());
        self.counts.lock().configure(self.desk.configuration());
        Ok(lines)
    }
}
