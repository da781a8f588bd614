use std::path::PathBuf;
use std::sync::mpsc::{self, SyncSender};
use std::time::Duration;
use std::{io, thread};

use crate::Moment;
use crate::reading::{Desk, Source, wait};
use crate::socket::{self, PATIENCE, Question};
use crate::state::News;
use crate::state::director::{Absence, Answer, Status};

/// The shortest time between two questions. The director answers each with all of its state.
const EVERY: Duration = Duration::from_secs(2);

/// Begins to ask the director for its state. A value in the returned channel makes it ask at once.
///
/// # Errors
///
/// The system gives no thread.
pub fn read_director(
    path: PathBuf,
    source: Source,
    interval: Duration,
    desk: Desk,
) -> io::Result<SyncSender<()>> {
    let (ask, asked) = mpsc::sync_channel(1);
    let work = move || {
        loop {
            let begun = Moment::now();
            let status = status(&path, &source);
            if !desk.tell(News::Director(begun, status)) {
                return;
            }
            let took = Moment::now().since(&begun);
            if !wait(&asked, interval.max(EVERY).max(took.saturating_mul(5))) {
                return;
            }
        }
    };
    thread::Builder::new().name("director".to_owned()).spawn(work)?;
    Ok(ask)
}

/// Asks the director for its state.
///
/// # Errors
///
/// There is no answer, or another one.
pub fn status(path: &std::path::Path, source: &Source) -> Result<Status, Absence> {
    let failed = |text: String| Err(Absence::Failed(text));
    match socket::ask(path, source, Question::Status, PATIENCE) {
        Ok(Answer::Status(status)) => Ok(status),
        Ok(Answer::Error { text, .. }) => failed(text),
        Ok(Answer::Refused(lines)) => failed(lines.join("; ")),
        Ok(Answer::Done(_) | Answer::Other) => failed("an answer to another question".to_owned()),
        Err(failure) => Err(failure.absence()),
    }
}
