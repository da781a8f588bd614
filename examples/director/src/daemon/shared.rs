//! Work beside the loop that is done once for all who ask for it.

use tokio::task::JoinHandle;

use crate::control::call::Call;

/// Work beside the loop, such as the reading of a file. Who asks while it is done waits for the next
/// time, because what is being read may be older than the question.
#[derive(Debug)]
pub(super) struct Shared<T> {
    work: Option<JoinHandle<T>>,
    /// Who waits for the work that is being done.
    waiting: Vec<Call>,
    /// Who waits for the next time, if there is one.
    next: Option<Vec<Call>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { work: None, waiting: Vec::new(), next: None }
    }
}

impl<T> Shared<T> {
    /// Asks for the work. `start` is called at once if none is being done.
    pub(super) fn ask(&mut self, call: Option<Call>, start: impl FnOnce() -> JoinHandle<T>) {
        if self.work.is_some() {
            self.next.get_or_insert_default().extend(call);
        } else {
            self.waiting.extend(call);
            self.work = Some(start());
        }
    }

    /// Waits for the end of the work; for ever if none is being done. Returns `None` if the work has
    /// panicked. Dropping the future loses nothing.
    pub(super) async fn done(&mut self) -> Option<T> {
        let Some(work) = &mut self.work else { return std::future::pending().await };
        let done = work.await;
        self.work = None;
        done.ok()
    }

    /// Returns `true` while work is being done.
    pub(super) const fn is_working(&self) -> bool {
        self.work.is_some()
    }

    /// Takes out who waits for the work that is done, and starts it anew if somebody has asked for
    /// that.
    pub(super) fn take_waiting(&mut self, start: impl FnOnce() -> JoinHandle<T>) -> Vec<Call> {
        let waiting = std::mem::take(&mut self.waiting);
        if let Some(next) = self.next.take() {
            self.waiting = next;
            self.work = Some(start());
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_meanwhile_has_the_work_done_once_more() {
        let mut shared = Shared::default();
        for number in [1, 2, 3] {
            shared.ask(None, || tokio::spawn(async move { number }));
        }
        assert_eq!(shared.done().await, Some(1));
        shared.take_waiting(|| tokio::spawn(async { 9 }));
        assert!(shared.is_working(), "another reload is under way");
        assert_eq!(shared.done().await, Some(9));
        shared.take_waiting(|| tokio::spawn(async { 10 }));
        assert!(!shared.is_working());
    }
}
