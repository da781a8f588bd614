//! Reads the configuration.

use crate::configuration::{self, Configuration};
use crate::daemon::RunArguments;

/// Reads the configuration. Logs its warnings.
pub(super) fn read_file(arguments: &RunArguments) -> Result<Configuration, Vec<String>> {
    let loaded = configuration::load(&arguments.file, arguments.format);
    let loaded = loaded.map_err(|error| error.lines())?;
    for warning in loaded.warnings.to_string().lines() {
        tracing::warn!("{warning}");
    }
    Ok(loaded.configuration)
}
