//! `table apply --watch`.

use std::ops::ControlFlow;
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

/// Applies the file now and whenever it has changed. What is wrong with the file at the start
/// ends the program; what is wrong later is reported, and the table stays as it is. What was
/// in the file the last time stays ours, so that it goes away with its lines; once it has
/// gone, whatever else may have failed, who adds it is somebody else.
pub(crate) fn run(apply: &Apply, screen: &Screen) -> Result<Status, Failure> {
    let source = &apply.planning.file;
    if source.path == Path::new("-") {
        return Err(Failure::new("standard input cannot be watched"));
    }
    file::read(source)?;
    let mut formerly = Table::new();
    let (mut seen, mut dealt_with) = (None, None);
    let mut retry: Option<Instant> = None;
    loop {
        // Its times would not do: some file systems count in seconds.
        let now = Some(file::load(&source.path));
        let due = dealt_with != now || retry.is_some_and(|retry| retry <= Instant::now());
        // Somebody may be in the midst of writing it.
        if let (true, Some(file)) = (due && seen == now, &now) {
            let again = match file {
                Ok(bytes) => {
                    let done = once(apply, bytes, &mut formerly, screen);
                    let done = done.unwrap_or_else(|failure| Some(screen.failure(&failure)));
                    let Some(status) = done else {
                        seen = None;
                        continue;
                    };
                    screen.note(&format!("{}: {status}", source.path.display()));
                    matches!(status, Status::PartlyFailed | Status::Failed)
                }
                Err(failure) => {
                    screen.failure(failure);
                    false
                }
            };
            retry = again.then(|| Instant::now() + RETRY);
            dealt_with = now.clone();
        }
        seen = now;
        sleep(PAUSE);
    }
}

/// Applies what the file had, unless it has something else as soon as it can be applied.
fn once(
    apply: &Apply,
    now: &[u8],
    formerly: &mut Table,
    screen: &Screen,
) -> Result<Option<Status>, Failure> {
    let planning = &apply.planning;
    let desired = file::table(&planning.file, now)?;
    let mut ipvs = planning.kernel.connect()?;
    let _alone = planning.kernel.alone(apply.wait, screen)?;
    if file::has_changed(&planning.file.path, now) {
        return Ok(None);
    }
    screen.doubts(&desired);
    let plan = planning.plan(&mut ipvs, &desired, formerly, screen)?;
    if !planning.json {
        screen.diff(&plan)?;
    }
    let done = carry_out(&plan, &desired, formerly, &mut ipvs, apply, screen, |progress| {
        screen.progress(&progress.to_string());
        // A new version of the file may want back what drains.
        match file::load(&planning.file.path) {
            Ok(bytes) if bytes != now => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    formerly.extend(desired);
    done.map(Some)
}
