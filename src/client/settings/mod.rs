//! Reads and writes the timeouts and settings that a table declares: timeouts over netlink, settings
//! as files.

#[cfg(test)]
#[cfg(feature = "fake")]
mod tests;

use crate::engine::{Engine, Transport};
use crate::error::Error;
use crate::model::{Change, Settings, Timeouts};
use crate::procfs::{Procfs, ProcfsError, SettingError};
use crate::table::{PlanError, SettingsChange, SettingsPlan, Table};

/// The failure to compare or to write the timeouts and settings of a table.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A declared value breaks a rule.
    #[error(transparent)]
    Invalid(Box<PlanError>),
    /// Timeouts cannot be read or written.
    #[error(transparent)]
    Timeouts(#[from] Error),
    /// Settings `net.ipv4.vs.*` cannot be read or written.
    #[error(transparent)]
    Settings(#[from] SettingError),
}

impl From<PlanError> for SettingsError {
    fn from(error: PlanError) -> Self {
        Self::Invalid(Box::new(error))
    }
}

/// What became of each difference of a [`SettingsPlan`] that was written.
///
/// Each difference is in one of three lists, by what the kernel had after the writing.
#[derive(Clone, Debug, Default, PartialEq)]
#[must_use = "part of it may have failed"]
pub struct WrittenSettings {
    written: Vec<SettingsChange>,
    left: Vec<SettingsChange>,
    unknown: Vec<SettingsChange>,
    errors: Vec<SettingsError>,
}

impl WrittenSettings {
    /// Returns `true` if nothing failed and nothing differs any more.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.errors.is_empty() && self.left.is_empty() && self.unknown.is_empty()
    }

    /// Returns the differences that are written. The kernel has the declared values.
    #[must_use]
    pub fn written(&self) -> &[SettingsChange] {
        &self.written
    }

    /// Returns the differences that are left, with what the kernel has now. Without an error,
    /// another program writes the same timeouts or settings.
    #[must_use]
    pub fn left(&self) -> &[SettingsChange] {
        &self.left
    }

    /// Returns the differences of which nobody knows whether they are written: writing failed, and so
    /// did reading afterwards.
    #[must_use]
    pub fn unknown(&self) -> &[SettingsChange] {
        &self.unknown
    }

    /// Returns all errors: that of writing settings, that of writing timeouts, and that of reading
    /// both again.
    #[must_use]
    pub fn errors(&self) -> &[SettingsError] {
        &self.errors
    }
}

/// The files of settings of a network namespace.
pub(crate) trait Files: Sync {
    fn read(&self) -> Result<Settings, SettingError>;
    fn write(&self, settings: &Settings) -> Result<(), SettingError>;
}

/// A client's files, or why the client has none.
impl Files for Result<Procfs, ProcfsError> {
    fn read(&self) -> Result<Settings, SettingError> {
        self.as_ref().map_err(|error| error.clone().into()).and_then(Procfs::settings)
    }

    fn write(&self, settings: &Settings) -> Result<(), SettingError> {
        let files = self.as_ref().map_err(|error| SettingError::from(error.clone()))?;
        files.set_settings(settings)
    }
}

/// Compares what `table` declares with the kernel's. Reads nothing else.
pub(crate) async fn compare<T: Transport>(
    engine: &mut Engine<T>,
    files: &impl Files,
    table: &Table,
) -> Result<SettingsPlan, SettingsError> {
    let mut timeouts = Timeouts::default();
    if table.timeouts() != timeouts {
        timeouts = engine.timeouts().await?;
    }
    let mut settings = Settings::new();
    if !table.settings().is_empty() {
        settings = files.read()?;
    }
    Ok(table.settings_plan(timeouts, &settings)?)
}

/// Whether one of the two halves of a plan was written.
#[derive(Clone, Copy)]
enum Half {
    Done,
    Failed,
    NotBegun,
}

/// Writes a plan that is to be written, and reads again what it is about.
pub(crate) async fn write<T: Transport>(
    engine: &mut Engine<T>,
    files: &impl Files,
    plan: &SettingsPlan,
) -> WrittenSettings {
    let mut told = WrittenSettings::default();
    if !plan.is_to_be_written() || plan.is_empty() {
        told.left.extend(plan.changes());
        return told;
    }
    let mut declared = Table::new();
    declared.set_timeouts(plan.timeouts());
    declared.set_settings(plan.settings());
    let (mut settings, mut timeouts) = (Half::Done, Half::NotBegun);
    if !declared.settings().is_empty() {
        if let Err(error) = files.write(declared.settings()) {
            told.errors.push(error.into());
            settings = Half::Failed;
        }
    }
    let goes_on = matches!(settings, Half::Done) || !plan.stops_on_failure();
    if goes_on && plan.timeouts() != Timeouts::default() {
        timeouts = match engine.change(&Change::SetTimeouts(plan.timeouts())).await {
            Ok(()) => Half::Done,
            Err(error) => {
                told.errors.push(error.into());
                Half::Failed
            }
        };
    }
    match compare(engine, files, &declared).await {
        Ok(rest) => {
            told.left.extend(rest.changes());
            let is_left =
                |change: &SettingsChange| told.left.iter().any(|left| left.is_about_same(change));
            told.written.extend(plan.changes().filter(|change| !is_left(change)));
        }
        Err(error) => {
            told.errors.push(error);
            for change in plan.changes() {
                let half = match change {
                    SettingsChange::Timeout { .. } => timeouts,
                    SettingsChange::Setting { .. } => settings,
                };
                match half {
                    Half::Done => told.written.push(change),
                    Half::Failed => told.unknown.push(change),
                    Half::NotBegun => told.left.push(change),
                }
            }
        }
    }
    told
}
