//! Reads the configuration.

use crate::configuration::{self, Configuration, LoadError};
use crate::daemon::RunArguments;

/// Reads the configuration. Logs its warnings.
pub(super) fn read_file(arguments: &RunArguments) -> Result<Configuration, Vec<String>> {
    let (configuration, warnings) = load(arguments).map_err(|error| error.lines())?;
    warn(&warnings);
    Ok(configuration)
}

/// Reads the configuration. Returns its warnings, too, one line each.
pub(super) fn load(arguments: &RunArguments) -> Result<(Configuration, Vec<String>), LoadError> {
    let loaded = configuration::load(&arguments.file, arguments.format)?;
    let warnings = loaded.warnings.to_string().lines().map(str::to_owned).collect();
    Ok((loaded.configuration, warnings))
}

/// Logs warnings.
pub(super) fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
