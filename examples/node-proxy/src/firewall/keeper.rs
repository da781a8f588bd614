//! Keeps the table of the node.

use std::future::pending;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::Changes;
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::firewall::generation::{self, Generation};
use crate::firewall::netfilter::Netfilter;
use crate::firewall::{
    Admission, FirewallOptions, Nft, NftError, Schedule, Sight, Step, preview, ruleset,
};
use crate::log;

/// How long the start waits for the first writing. What needs the firewall is served later if it takes longer.
const LONGEST_START: Duration = Duration::from_secs(5);

/// Keeps the table of the node, by `nft`, as [`Schedule`] decides. `nft` runs beside the caller, and ends when this is
/// dropped.
#[derive(Debug)]
pub(crate) struct Firewall {
    options: FirewallOptions,
    nft: Option<Nft>,
    /// `None` if the system has no socket for it.
    netfilter: Option<Netfilter>,
    schedule: Schedule,
    /// The run of `nft` whose outcome is awaited.
    run: JoinSet<Outcome>,
    /// The outcome that was not taken in yet.
    outcome: Option<Outcome>,
    /// What the log has said last. A failure that comes again and again is told once.
    told: Option<String>,
}

/// What has become of a step.
#[derive(Debug)]
enum Outcome {
    Applied(Result<(), NftError>, Option<(Generation, Generation)>),
    Looked(Result<Sight, NftError>),
}

impl Firewall {
    /// Finds `nft` and writes the table for everything that the cluster has now. `elsewhere` are the addresses of other
    /// interfaces than the own one, in order. If there is no usable `nft`, the
    /// log says why, and services that need the firewall are refused until the program ends. If the writing
    /// fails or takes long, they wait for the next one.
    pub(crate) async fn start(
        options: &FirewallOptions,
        first: &Changes,
        node_addresses: &[IpAddr],
        elsewhere: impl Iterator<Item = IpAddr> + Clone,
        now: Instant,
    ) -> Self {
        match Nft::find_busy(options).await {
            Ok(nft) => {
                let mut firewall = Self::new(options, Some(nft), now);
                firewall.schedule.take_elsewhere(elsewhere);
                firewall.changed(first, node_addresses, now);
                let _ = timeout(LONGEST_START, firewall.ended()).await;
                firewall.pass(now);
                firewall
            }
            Err(error) => {
                log::line(preview::lacking(&error));
                Self::new(options, None, now)
            }
        }
    }

    fn new(options: &FirewallOptions, nft: Option<Nft>, now: Instant) -> Self {
        Self {
            options: options.clone(),
            schedule: Schedule::new(options, nft.is_some(), now),
            nft,
            netfilter: Netfilter::open().ok(),
            run: JoinSet::new(),
            outcome: None,
            told: None,
        }
    }

    /// Takes in changes of the conversion, and begins to write them if it may.
    pub(crate) fn changed(&mut self, changes: &Changes, node_addresses: &[IpAddr], now: Instant) {
        self.schedule.take(changes, node_addresses);
        self.pass(now);
    }

    /// Returns `true` if it was told last that the addresses of the node are these.
    pub(crate) fn is_for(&self, node_addresses: &[IpAddr]) -> bool {
        self.schedule.is_for(node_addresses)
    }

    /// Takes in which addresses other interfaces hold, in order.
    pub(crate) fn take_elsewhere(&mut self, held: impl Iterator<Item = IpAddr> + Clone) {
        self.schedule.take_elsewhere(held);
    }

    /// Returns whether a virtual service may be served.
    pub(crate) fn admission(&self, id: ServiceId) -> Admission {
        self.schedule.admission(id)
    }

    /// Notes that the kernel's table has a service no more.
    pub(crate) fn left(&mut self, id: ServiceId) {
        self.schedule.left(id);
    }

    /// Returns `true` if there is a usable `nft`, and its last run did what it was asked for.
    pub(crate) const fn is_usable(&self) -> bool {
        self.nft.is_some() && self.told.is_none()
    }

    /// Returns when [`pass`](Self::pass) has something to do, unless a run of `nft` [ends](Self::ended) before.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.schedule.due()
    }

    /// Waits until a run of `nft` has ended, for [`pass`](Self::pass) to take it in. May be dropped and called again.
    pub(crate) async fn ended(&mut self) {
        match self.run.join_next().await {
            Some(joined) => self.outcome = Some(joined.unwrap_or_else(|error| lost(&error))),
            None => pending().await,
        }
    }

    /// Takes in how the last run of `nft` has ended, and begins what is due.
    pub(crate) fn pass(&mut self, now: Instant) {
        if let Some(outcome) = self.outcome.take() {
            let failure = self.take(outcome, now).err().map(|error| error.to_string());
            self.tell(failure);
        }
        let (Some(nft), Some(step)) = (&self.nft, self.schedule.next(now)) else { return };
        let (nft, options) = (nft.clone(), self.options.clone());
        let netfilter = self.netfilter.clone();
        self.run.spawn(async move {
            match step {
                Step::Apply(transaction) => {
                    let before = generation::read(netfilter.as_ref()).await;
                    let applied = nft.apply(&transaction).await;
                    let after = generation::read(netfilter.as_ref()).await;
                    Outcome::Applied(applied, before.zip(after))
                }
                Step::Look(seen) => {
                    let generation = generation::read(netfilter.as_ref()).await;
                    if seen.is_some() && generation == seen {
                        return Outcome::Looked(Ok(Sight::Same));
                    }
                    let intact = nft.is_intact(&options).await;
                    Outcome::Looked(intact.map(|it| match it {
                        true => Sight::Intact(generation),
                        false => Sight::Lost,
                    }))
                }
            }
        });
    }

    fn take(&mut self, outcome: Outcome, now: Instant) -> Result<(), NftError> {
        match outcome {
            Outcome::Applied(applied, generations) => {
                self.schedule.applied(applied.is_ok(), generations, now);
                applied
            }
            Outcome::Looked(looked) => {
                // A table that cannot be looked at counts as there.
                let sight = *looked.as_ref().unwrap_or(&Sight::Intact(None));
                self.schedule.looked(sight, now);
                if sight == Sight::Lost {
                    log::line(
                        "firewall: another program changed the table, which is written again",
                    );
                }
                looked.map(drop)
            }
        }
    }

    fn tell(&mut self, failure: Option<String>) {
        if failure != self.told {
            match &failure {
                Some(failure) => log::line(format_args!("firewall: {failure}")),
                None => log::line("firewall: recovered"),
            }
            self.told = failure;
        }
    }
}

/// Nobody knows what the run has done, and so the whole table is written next.
fn lost(error: &JoinError) -> Outcome {
    Outcome::Applied(Err(NftError::Failed { said: error.to_string() }), None)
}

/// Removes the table. Returns `false` if there was none.
///
/// # Errors
///
/// `nft` cannot be run, or the kernel refuses.
pub async fn remove(options: &FirewallOptions) -> Result<bool, NftError> {
    match Nft::find(options).await?.apply(&ruleset::removal(options)).await {
        Ok(()) => Ok(true),
        Err(error) if error.is_absence() => Ok(false),
        Err(error) => Err(error),
    }
}
