//! `table apply --watch`.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::apply::carry_out;
use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file;
use crate::screen::Screen;

/// How often the file is looked at, and how long it has to stay the same.
const PAUSE: Duration = Duration::from_millis(500);

/// What is different when a file was written or replaced.
type Version = (u64, u64, i64, i64);

/// Applies the file now and whenever it has changed. A file that cannot be read or
/// planned is reported, and the table stays as it is.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let path = &apply.planning.file.path;
    if path == Path::new("-") {
        return Err(Failure::new("standard input cannot be watched"));
    }
    let mut applied = None;
    let mut seen = None;
    loop {
        let now = version(path).map_err(|error| error.to_string());
        if seen.as_ref() != Some(&now) {
            // Somebody may be in the midst of writing it.
            seen = Some(now);
        } else if applied.as_ref() != Some(&now) {
            applied = Some(now);
            match once(apply, screen) {
                Ok(status) => screen.note(&format!("{}: {status:?}", path.display())),
                Err(failure) => drop(screen.failure(&failure)),
            }
        }
        sleep(PAUSE);
    }
}

fn version(path: &Path) -> io::Result<Version> {
    let data = fs::metadata(path)?;
    Ok((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
}

fn once(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let planning = &apply.planning;
    let desired = file::read(&planning.file)?;
    let mut ipvs = planning.kernel.connect()?;
    let plan = planning.plan(&mut ipvs, &desired)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    carry_out(&plan, &desired, &mut ipvs, apply, screen)
}
