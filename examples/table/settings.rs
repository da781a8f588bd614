//! The timeouts and settings of the network namespace that a file declares.

use ipvs_netlink::procfs::SettingError;
use ipvs_netlink::table::{Plan, SettingsPlan, Table};
use ipvs_netlink::{Client, Settings, Timeouts};

use crate::exit::{Failure, Status};

/// Compares what the file declares with the kernel's. Reads nothing if it declares nothing.
pub(crate) fn plan(
    ipvs: &mut Client,
    desired: &Table,
    written: bool,
) -> Result<SettingsPlan, Failure> {
    if !desired.declares_settings() {
        return Ok(SettingsPlan::default());
    }
    let timeouts = match desired.timeouts() == Timeouts::default() {
        true => Timeouts::default(),
        false => ipvs.timeouts().map_err(Failure::kernel)?,
    };
    let settings = match desired.settings().is_empty() {
        true => Settings::new(),
        false => {
            let files = ipvs.procfs().map_err(Failure::kernel)?;
            files.settings().map_err(Failure::kernel)?
        }
    };
    let plan = desired.settings_plan(timeouts, &settings).map_err(Failure::plan)?;
    Ok(plan.written(written))
}

/// Returns `true` if something differs and is to be written.
pub(crate) fn are_written(plan: &Plan) -> bool {
    plan.settings().is_written() && !plan.settings().is_empty()
}

/// Writes what differs, if it is to be written: settings first, because the kernel may not have
/// them. Reads it back.
pub(crate) fn write(ipvs: &mut Client, desired: &Table, plan: &Plan) -> Result<(), Failure> {
    if !are_written(plan) {
        return Ok(());
    }
    let settings = plan.settings().settings();
    if !settings.is_empty() {
        let files = ipvs.procfs().map_err(Failure::kernel)?;
        files.set_settings(&settings).map_err(|error| {
            // The kernel refused one of several, or one that no other can have preceded.
            let begun =
                matches!(error, SettingError::Refused { .. } | SettingError::Unwritable { .. })
                    && settings.len() > 1;
            let status = if begun { Status::PartlyFailed } else { Status::Failed };
            Failure { status, text: format!("{error}; the table stays as it is") }
        })?;
    }
    let partly = |text: String| Failure { status: Status::PartlyFailed, text };
    let timeouts = plan.settings().timeouts();
    if timeouts != Timeouts::default() {
        ipvs.set_timeouts(timeouts).map_err(|error| match settings.is_empty() {
            true => Failure::kernel(error),
            false => partly(format!("{error}; the settings are written")),
        })?;
    }
    let rest = self::plan(ipvs, desired, true).map_err(|failure| partly(failure.text))?;
    match rest.is_empty() {
        true => Ok(()),
        false => {
            let rest = Plan::default().with_settings(rest);
            Err(partly(format!("another program writes the settings; these differ again:\n{rest}")))
        }
    }
}
