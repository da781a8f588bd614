//! Threads that read: the table, the director and connections. They hand over what they find, and never
//! make the user wait.

mod bell;
mod connections;
mod director;
mod source;
mod table;
mod writers;

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

pub use bell::Bell;
pub use connections::{ConnectionsReader, pass};
pub use director::{read_director, status as director_status};
pub use source::Source;
pub use table::{read, read_table};
pub use writers::writers;

use crate::state::News;

/// How much news waits for a program that is busy. Readers then wait, too.
const WAITING: usize = 8;

/// Where threads hand over what they have learned.
#[derive(Clone, Debug)]
pub struct Desk {
    news: SyncSender<News>,
    bell: Bell,
}

impl Desk {
    /// Creates a desk, and the end where the news comes out. `bell` rings for each.
    #[must_use]
    pub fn new(bell: Bell) -> (Self, Receiver<News>) {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        (Self { news: sender, bell }, receiver)
    }

    /// Hands news over. Returns `false` if nobody is there any more.
    pub fn tell(&self, news: News) -> bool {
        let told = self.news.send(news).is_ok();
        self.bell.ring();
        told
    }
}

/// Waits, but no longer than until somebody asks for a reading at once. Returns `false` if the program
/// has ended.
fn wait(asked: &Receiver<()>, time: Duration) -> bool {
    match asked.recv_timeout(time) {
        // Several wishes are one.
        Ok(()) => {
            while asked.try_recv().is_ok() {}
            true
        }
        Err(RecvTimeoutError::Timeout) => true,
        Err(RecvTimeoutError::Disconnected) => false,
    }
}
