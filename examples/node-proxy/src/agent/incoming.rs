//! What comes in: notices of the watches.

use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{Changes, Options};
use kube::Client;
use tokio::time;

use super::failure::Failure;
use crate::cluster::{Caches, Notice, Outage, Source, Watches};
use crate::log;

/// How long a command that asks the cluster once waits for an answer.
const LONGEST_ASKING: Duration = Duration::from_secs(30);

/// The watches, and what they have told.
pub(super) struct Incoming {
    watches: Watches,
    pub(super) caches: Caches,
    outage: Outage,
}

impl Incoming {
    /// Starts the watches. `server` is the URL of the API server.
    pub(super) fn start(
        (client, server): &(Client, String),
        options: &Options,
        proxy_name: Option<&str>,
    ) -> Self {
        Self {
            watches: Watches::start(client, options, proxy_name),
            caches: Caches::new(options),
            outage: Outage::new(server.clone()),
        }
    }

    /// Waits until everything is listed. Returns the conversion of it.
    pub(super) async fn first(&mut self, mut noticed: impl FnMut(Source, &Notice)) -> Changes {
        loop {
            self.wait(Duration::MAX, &mut noticed).await;
            if let Some(changes) = self.caches.convert() {
                return changes;
            }
        }
    }

    /// As [`first`](Self::first), but not for ever.
    pub(super) async fn first_in_time(
        &mut self,
        noticed: impl FnMut(Source, &Notice),
    ) -> Result<Changes, Failure> {
        if let Ok(first) = time::timeout(LONGEST_ASKING, self.first(noticed)).await {
            return Ok(first);
        }
        let missing: Vec<_> = self.caches.missing().iter().map(ToString::to_string).collect();
        Err(Failure::NoAnswer {
            server: self.outage.server().to_owned(),
            missing: missing.join(", "),
            seconds: LONGEST_ASKING.as_secs(),
        })
    }

    /// Waits for notices, or for so long.
    pub(super) async fn wait(
        &mut self,
        longest: Duration,
        mut noticed: impl FnMut(Source, &Notice),
    ) {
        let (source, notice) = tokio::select! {
            biased;
            Some(notice) = self.watches.notices.recv() => notice,
            () = time::sleep(longest) => return,
        };
        noticed(source, &notice);
        self.take(source, notice);
        // What waits too is converted together.
        while let Ok((source, notice)) = self.watches.notices.try_recv() {
            noticed(source, &notice);
            self.take(source, notice);
        }
    }

    fn take(&mut self, source: Source, notice: Notice) {
        self.outage.take(source, &notice, Instant::now()).iter().for_each(log::line);
        if let Some(remark) = self.caches.take(source, notice) {
            log::line(remark);
        }
    }
}
