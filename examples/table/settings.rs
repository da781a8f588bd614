//! The timeouts and settings of the network namespace that a file declares.

use ipvs_netlink::table::{OnFailure, Plan, SettingsPlan, Table};
use ipvs_netlink::{Client, SettingsError, WrittenSettings};

use crate::exit::{Failure, Status};

/// Compares what the file declares with the kernel's. Reads nothing if it declares nothing.
pub(crate) fn plan(
    ipvs: &mut Client,
    desired: &Table,
    to_be_written: bool,
) -> Result<SettingsPlan, Failure> {
    let plan = ipvs.settings_plan(desired).map_err(|error| match error {
        SettingsError::Invalid(error) => Failure::plan(*error),
        error => Failure::kernel(error),
    })?;
    Ok(plan.to_be_written(to_be_written).on_failure(OnFailure::Stop))
}

/// Returns `true` if something differs and is to be written.
pub(crate) fn are_to_be_written(plan: &Plan) -> bool {
    plan.settings_plan().is_to_be_written() && !plan.settings_plan().is_empty()
}

/// Writes what differs, if it is to be written. The failure tells what was written nevertheless.
pub(crate) fn write(ipvs: &mut Client, plan: &Plan) -> Result<(), Failure> {
    if !are_to_be_written(plan) {
        return Ok(());
    }
    let told = ipvs.write_settings(plan.settings_plan());
    if told.is_done() { Ok(()) } else { Err(failure(&told)) }
}

/// Lists what became of each difference if any of them may be written.
fn failure(told: &WrittenSettings) -> Failure {
    let errors: Vec<String> = told.errors().iter().map(ToString::to_string).collect();
    let nothing = told.written().is_empty() && told.unknown().is_empty();
    if nothing && !errors.is_empty() {
        return Failure::new(format!("{}; the table stays as it is", errors.join("; ")));
    }
    let mut text = match errors.is_empty() {
        true => "another program writes the settings".to_owned(),
        false => errors.join("; "),
    };
    text += "; the table stays as it is";
    let lists = [
        (told.written(), "written"),
        (told.left(), "not written"),
        (told.unknown(), "perhaps written"),
    ];
    for (changes, state) in lists {
        for change in changes {
            text += &format!("\n{state}: {change}");
        }
    }
    Failure { status: Status::PartlyFailed, text }
}
