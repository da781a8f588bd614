//! Whether an order may be given, and by whom it is carried out.

use std::time::Duration;

use ipvs_netlink::ServiceId;

use crate::Moment;
use crate::state::director::Director;
use crate::state::steering::by_director::{BY_DIRECTOR, ordered};
use crate::state::steering::{Intent, Order, Proposal, Refusal, Undo, in_kernel};
use crate::state::{Reading, Writer};

/// How old a reading may be by which people decide.
const OLDEST: Duration = Duration::from_secs(10);

const HIDDEN: &str = "Not all processes are to be seen: another may steer this table.";

/// What is known where a user gives an order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) read_only: bool,
    pub(crate) reading: Option<&'a Reading>,
    pub(crate) director: &'a Director,
    pub(crate) now: Moment,
}

impl Circumstances<'_> {
    /// Returns the order that carries out what a user wants, with its question.
    pub(crate) fn propose(&self, service: ServiceId, intent: Intent) -> Result<Proposal, Refusal> {
        let reading = self.current_reading()?;
        let present = reading.snapshot.service(service).ok_or(Refusal::Gone)?;
        match intent {
            // Nobody steers counters.
            Intent::Zero => Ok(in_kernel::zero(service)),
            _ if self.director.service(service).is_some() => self.by_director(present, intent),
            _ => {
                self.refuse_if_steered(reading)?;
                let mut proposal = in_kernel::propose(present, intent)?;
                if reading.writers.are_hidden {
                    proposal.question.push(HIDDEN.to_owned());
                }
                Ok(proposal)
            }
        }
    }

    /// Returns what takes an order back as an order with its question, if it may be given.
    pub(crate) fn take_back(&self, undo: &Undo) -> Result<Proposal, Refusal> {
        self.check(&undo.order)?;
        let mut undo = undo.clone();
        let mut question = vec![undo.question.clone()];
        match &mut undo.order {
            Order::Director { order, seen, .. } => {
                let (service, destination) = order.place();
                let known = self.director.destination(service, destination);
                let known = known.filter(|known| seen.is(known));
                if let Some(it) = known.and_then(|known| known.maintenance.as_ref()) {
                    // The user reads whose order it is, and means this one.
                    seen.maintenance = Some(it.clone());
                    question.push(format!("It {}.", ordered(it)));
                }
                question.push(BY_DIRECTOR.to_owned());
            }
            Order::Weight { .. } if self.reading.is_some_and(|it| it.writers.are_hidden) => {
                question.push(HIDDEN.to_owned());
            }
            _ => {}
        }
        Ok(Proposal::new(question, undo.order.clone(), Some(undo)))
    }

    /// Says whether an order may still be given: its question may be old, and so may what takes an order
    /// back.
    pub(crate) fn check(&self, order: &Order) -> Result<(), Refusal> {
        let reading = self.current_reading()?;
        match order {
            Order::Zero(_) => Ok(()),
            Order::Weight { service, destination, .. } => {
                let present = reading.snapshot.service(*service);
                let present = present.and_then(|it| it.destination(*destination));
                if present.is_none() && reading.snapshot.is_complete() {
                    return Err(Refusal::Gone);
                }
                self.refuse_if_steered(reading)?;
                match self.director.service(*service) {
                    Some(_) => Err(Refusal::Kept),
                    None => Ok(()),
                }
            }
            Order::Director { order, .. } => {
                self.refuse_if_silent()?;
                let (service, destination) = order.place();
                self.director.destination(service, destination).map(|_| ()).ok_or(Refusal::Gone)
            }
        }
    }

    /// Returns the reading by which the user decides.
    fn current_reading(&self) -> Result<&Reading, Refusal> {
        if self.read_only {
            return Err(Refusal::ReadOnly);
        }
        let reading = self.reading.ok_or(Refusal::Unread)?;
        let age = self.now.since(&reading.at);
        if age > OLDEST {
            return Err(Refusal::Old(age));
        }
        Ok(reading)
    }

    /// Refuses if the director's latest answer is not current.
    pub(super) fn refuse_if_silent(&self) -> Result<(), Refusal> {
        match self.director {
            Director::Silent { reason, .. } => Err(Refusal::Silent(reason.clone())),
            Director::Present(at, _) if self.now.since(at) > OLDEST => {
                Err(Refusal::OldAnswer(self.now.since(at)))
            }
            _ => Ok(()),
        }
    }

    fn refuse_if_steered(&self, reading: &Reading) -> Result<(), Refusal> {
        if let Director::Silent { reason, .. } = self.director {
            return Err(Refusal::Silent(reason.clone()));
        }
        let knows_director = self.director.status().is_some();
        for writer in &reading.writers.found {
            // A director that answers leaves services alone that are not its own.
            if !(knows_director && writer.name == Writer::DIRECTOR) {
                return Err(Refusal::Steered(writer.clone()));
            }
        }
        Ok(())
    }
}
