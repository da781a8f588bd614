//! Answers watches: one event a line, for as long as the client wants.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{self, Instant};

use super::Shared;
use super::answer::{self, Answer, Status};
use super::faults::Ending;
use super::store::Wanted;

/// What a client asks for.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    pub(super) wanted: Wanted,
    pub(super) start: Start,
    pub(super) bookmarks: bool,
    pub(super) timeout: Duration,
}

/// Where a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// With what is there.
    Any,
    /// With what is there, and a bookmark at its end.
    List,
    After(u64),
}

/// Answers with events.
pub(super) fn answer(watch: Watch, shared: Arc<Shared>) -> Answer {
    let watcher = Watcher::new(watch, shared);
    let frames = stream::unfold(watcher, |mut watcher| async move {
        let frame = watcher.next().await?;
        Some((frame.map(Frame::data), watcher))
    });
    answer::json_of(StreamBody::new(frames).boxed_unsync())
}

struct Watcher {
    watch: Watch,
    changed: watch::Receiver<u64>,
    /// The revision up to which the client knows everything.
    seen: u64,
    endings: u64,
    lines: VecDeque<Bytes>,
    ends_at: Instant,
    /// The connection breaks after the lines, or it ends well.
    ending: Option<io::Result<()>>,
    shared: Arc<Shared>,
}

impl Watcher {
    fn new(watch: Watch, shared: Arc<Shared>) -> Self {
        let endings = shared.faults().endings();
        let mut watcher = Self {
            changed: shared.changed.subscribe(),
            seen: 0,
            endings,
            lines: VecDeque::new(),
            ends_at: Instant::now() + watch.timeout,
            ending: None,
            shared,
            watch,
        };
        watcher.begin();
        watcher
    }

    fn begin(&mut self) {
        if let Start::After(revision) = self.watch.start {
            self.seen = revision;
            return;
        }
        let store = self.shared.store();
        self.seen = store.revision();
        let page = store.list(&self.watch.wanted, self.seen, None, usize::MAX);
        drop(store);
        for object in page.objects {
            self.tell("ADDED", &object);
        }
        if self.watch.start == Start::List {
            self.bookmark(true);
        }
    }

    fn tell(&mut self, word: &str, object: &Value) {
        self.lines.push_back(line(word, object));
    }

    fn bookmark(&mut self, ends_list: bool) {
        let resource = self.watch.wanted.resource;
        let annotations = match ends_list {
            true => json!({"k8s.io/initial-events-end": "true"}),
            false => json!({}),
        };
        let version = self.seen.to_string();
        let object = json!({
            "kind": resource.kind,
            "apiVersion": resource.api_version(),
            "metadata": {"resourceVersion": version, "annotations": annotations},
        });
        self.tell("BOOKMARK", &object);
    }

    /// Returns the next line. `None` is the end.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            let tells = !self.shared.faults().held || self.ending.is_some();
            if let Some(line) = self.lines.pop_front_if(|_| tells) {
                return Some(Ok(line));
            }
            if let Some(ending) = self.ending.take() {
                self.ending = Some(Ok(()));
                return ending.err().map(Err);
            }
            self.wait().await;
        }
    }

    /// Waits for something to tell.
    async fn wait(&mut self) {
        let (held, ending) = self.shared.faults().of_watch(self.endings);
        if let Some(ending) = ending {
            self.end(ending);
            return;
        }
        if !held && self.look() {
            return;
        }
        let bookmarks = self.shared.bookmarks;
        tokio::select! {
            _ = self.changed.changed() => {}
            () = time::sleep_until(self.ends_at) => self.ending = Some(Ok(())),
            () = time::sleep(bookmarks), if self.watch.bookmarks && !held => self.bookmark(false),
        }
    }

    /// Takes what has happened. Returns `true` if there is something to tell.
    fn look(&mut self) -> bool {
        self.changed.mark_unchanged();
        let store = self.shared.store();
        let gone = store.is_gone(self.seen);
        let told = store.after(&self.watch.wanted, self.seen);
        if !gone {
            self.seen = store.revision();
        }
        drop(store);
        if gone {
            self.end(Ending::Gone);
        }
        for event in told {
            self.tell(event.word, &event.object);
        }
        !self.lines.is_empty()
    }

    fn end(&mut self, ending: Ending) {
        self.ending = Some(match ending {
            Ending::BetweenEvents => Ok(()),
            Ending::WithinEvent => {
                self.lines
                    .push_back(Bytes::from_static(b"{\"type\":\"MODIFIED\",\"object\":{\"ki"));
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Ending::Gone => {
                self.tell("ERROR", &Status::gone().object());
                Ok(())
            }
        });
    }
}

fn line(word: &str, object: &Value) -> Bytes {
    let mut line = json!({"type": word, "object": object}).to_string();
    line.push('\n');
    line.into()
}
