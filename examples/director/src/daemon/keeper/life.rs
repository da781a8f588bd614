//! Tells that the daemon lives, and notices if the checks do not.

use crate::daemon::keeper::Keeper;
use crate::desk::Trouble;
use crate::metrics::Server;
use crate::moment::Moment;
use crate::systemd::stands_still;

impl Keeper {
    pub(super) fn live(&mut self, now: Moment) {
        self.log.pass(now.instant);
        let silent = self.runner.as_ref().map(|runner| runner.stats().silent).unwrap_or_default();
        self.systemd.beat(silent, now.instant);
        let trouble = stands_still(silent).then(|| {
            "the thread of the checks stands still, and servers that die are not noticed".to_owned()
        });
        self.desk.trouble(Trouble::Checks, trouble, now);
        let ended = self.metrics.as_ref().is_some_and(Server::has_ended);
        let trouble = ended.then(|| "the thread of metrics has ended".to_owned());
        self.desk.trouble(Trouble::Metrics, trouble, now);
        self.systemd.status(|| self.desk.summary(), now.instant);
    }
}
