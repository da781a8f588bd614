//! Settings that are given once, and what is told of those that nothing uses.

use std::cell::Cell;

use crate::convert::blocks::Statement;
use crate::convert::unsaid::{Fate, Place, Remarks};

/// A setting of a block, or none.
#[derive(Debug)]
pub(super) struct Slot<T>(Option<Setting<T>>);

#[derive(Debug)]
struct Setting<T> {
    value: T,
    place: Place,
    keyword: String,
    used: Cell<bool>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Slot<T> {
    /// Sets the value. The last one counts.
    pub(super) fn set(&mut self, statement: &Statement, value: T, remarks: &mut Remarks) {
        if let Some(before) = &self.0 {
            let reason = format!("line {} gives it again, and counts", statement.place.line);
            remarks.add(&before.place, &before.keyword, Fate::NotNeeded, reason);
        }
        self.0 = Some(Setting {
            value,
            place: statement.place.clone(),
            keyword: statement.keyword().to_owned(),
            used: Cell::new(false),
        });
    }

    /// Sets the value unless there is one. The first one counts.
    pub(super) fn set_first(&mut self, statement: &Statement, value: T, remarks: &mut Remarks) {
        match &self.0 {
            Some(first) => {
                let reason = format!("line {} gives it before, and counts", first.place.line);
                remarks.add(&statement.place, statement.keyword(), Fate::NotNeeded, reason);
            }
            None => self.set(statement, value, remarks),
        }
    }

    /// Returns the value. It counts as used.
    pub(super) fn get(&self) -> Option<&T> {
        let setting = self.0.as_ref()?;
        setting.used.set(true);
        Some(&setting.value)
    }

    /// Returns the value and where it is. It does not count as used.
    pub(super) fn look(&self) -> Option<(&T, &Place)> {
        self.0.as_ref().map(|setting| (&setting.value, &setting.place))
    }

    /// Tells that nothing uses the setting, if so.
    pub(super) fn tell_unused(&self, remarks: &mut Remarks) {
        if let Some(setting) = self.0.as_ref().filter(|setting| !setting.used.get()) {
            remarks.add(&setting.place, &setting.keyword, Fate::NotNeeded, "nothing uses it");
        }
    }

    /// Tells what became of the setting.
    pub(super) fn tell(&self, fate: Fate, reason: impl Into<String>, remarks: &mut Remarks) {
        if let Some(setting) = &self.0 {
            setting.used.set(true);
            remarks.add(&setting.place, &setting.keyword, fate, reason);
        }
    }
}
