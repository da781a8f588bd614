//! `table apply --watch`.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::table::Table;

use crate::apply::carry_out;
use crate::arguments::Apply;
use crate::exit::{Failure, Status};
use crate::file;
use crate::screen::Screen;

/// How often the file is looked at, and how long it has to stay the same.
const PAUSE: Duration = Duration::from_millis(500);

/// After which time what failed is tried again.
const RETRY: Duration = Duration::from_secs(30);

/// What is different when a file was written or replaced.
type Version = (u64, u64, i64, i64);

/// Applies the file now and whenever it has changed. A file that cannot be read or
/// planned is reported, and the table stays as it is. What was in the file the last time
/// stays ours, so that it goes away with its lines.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let path = &apply.planning.file.path;
    if path == Path::new("-") {
        return Err(Failure::new("standard input cannot be watched"));
    }
    let mut formerly = Table::new();
    let mut applied: Option<(Version, Option<Instant>)> = None;
    let mut seen = None;
    loop {
        let now = version(path).ok();
        let stable = seen == Some(now);
        // Somebody may be in the midst of writing it.
        seen = Some(now);
        if let (true, Some(version)) = (stable, now) {
            let due = match applied {
                Some((last, retry)) => {
                    last != version || retry.is_some_and(|retry| retry <= Instant::now())
                }
                None => true,
            };
            if due {
                let done = once(apply, version, &mut formerly, screen);
                let status = done.unwrap_or_else(|failure| screen.failure(&failure));
                screen.note(&format!("{}: {status:?}", path.display()));
                let again = matches!(status, Status::PartlyFailed | Status::Failed);
                applied = Some((version, again.then(|| Instant::now() + RETRY)));
            }
        }
        sleep(PAUSE);
    }
}

fn version(path: &Path) -> io::Result<Version> {
    let data = fs::metadata(path)?;
    Ok((data.ino(), data.len(), data.mtime(), data.mtime_nsec()))
}

fn once(
    apply: &Apply,
    now: Version,
    formerly: &mut Table,
    screen: &Screen,
) -> Result<Status, Failure> {
    let planning = &apply.planning;
    let desired = file::read(&planning.file)?;
    if desired.is_empty() && !formerly.is_empty() {
        return Err(Failure::invalid("the file has no services any more; is it being written?"));
    }
    let mut ipvs = planning.kernel.connect()?;
    let plan = planning.plan(&mut ipvs, &desired, formerly, screen)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    let done = carry_out(&plan, &desired, formerly, &mut ipvs, apply, screen, |progress| {
        screen.progress(&progress.to_string());
        // A new version of the file may want back what drains.
        match version(&planning.file.path) {
            Ok(version) if version == now => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    })?;
    formerly.extend(desired);
    Ok(done)
}
