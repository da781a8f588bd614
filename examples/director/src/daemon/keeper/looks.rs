//! Has signs in the traffic looked for, and takes them in.

use crate::daemon::keeper::Keeper;
use crate::event::{Event, Severity};
use crate::moment::Moment;

impl Keeper {
    /// Begins to look for signs if that is due, as the configuration says.
    pub(super) fn look(&mut self) {
        if self.runner.is_none() {
            return;
        }
        let now = Moment::now();
        let settings = self.desk.configuration().passive_signs;
        if self.looking.set(settings, now.instant) {
            self.desk.signs(&[], [], now);
            self.counts.lock().signs(std::iter::empty());
        }
        self.looking.begin(now.instant);
    }

    /// Takes in what a reading has found.
    pub(super) fn take_in_signs(&mut self) {
        let Some(look) = self.looking.found() else { return };
        let now = Moment::now();
        self.desk.signs(&look.changes, look.signs.iter(), now);
        self.counts.lock().signs(look.signs.iter());
        if self.not_looked != look.unread {
            self.not_looked.clone_from(&look.unread);
            if !look.unread.is_empty() {
                let text = format!("not all passive signs are looked for: {}", look.unread);
                self.desk.tell(Event::new(now.wall, Severity::Note, "passive-signs-unread", &text));
            }
        }
    }
}
