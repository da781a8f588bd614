//! A thread that carries out orders, one after the other.

mod by_director;
mod in_kernel;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, SyncSender, TrySendError};
use std::{io, thread};

use ipvs_netlink::ServiceId;

use crate::reading::{Desk, Source, director_status};
use crate::state::News;
use crate::state::director::Absence;
use crate::state::steering::{Errand, Failure, Order};

/// Carries out orders.
#[derive(Debug)]
pub struct Doer {
    orders: SyncSender<Box<Errand>>,
}

impl Doer {
    /// Starts the thread. `director` is the director's socket.
    ///
    /// # Errors
    ///
    /// The system gives no thread.
    pub fn start(source: Source, director: Option<PathBuf>, desk: Desk) -> io::Result<Self> {
        let (sender, orders) = mpsc::sync_channel::<Box<Errand>>(1);
        let work = move || {
            while let Ok(errand) = orders.recv() {
                let result = carry_out(&source, director.as_deref(), &errand.order);
                if !desk.tell(News::Done { errand, result }) {
                    return;
                }
            }
        };
        thread::Builder::new().name("doing".to_owned()).spawn(work)?;
        Ok(Self { orders: sender })
    }

    /// Hands an order over.
    ///
    /// # Errors
    ///
    /// Another order waits. Returns this one.
    pub fn send(&self, errand: Box<Errand>) -> Result<(), Box<Errand>> {
        self.orders.try_send(errand).map_err(|error| match error {
            TrySendError::Full(errand) | TrySendError::Disconnected(errand) => errand,
        })
    }
}

/// Carries out an order. Says what was done, or why it was not.
///
/// # Errors
///
/// A text for the user: the kernel or the director refuses, or it is not known what happened.
pub fn carry_out(
    source: &Source,
    director: Option<&Path>,
    order: &Order,
) -> Result<String, Failure> {
    match order {
        Order::Weight { service, destination, from, to } => {
            refuse_if_kept(source, director, *service)?;
            in_kernel::weight(source, *service, *destination, *from, *to)
        }
        Order::Zero(service) => in_kernel::zero(source, *service),
        Order::Director { order, seen, until } => match director {
            Some(path) => by_director::give(path, source, order, seen, *until),
            None => Err(Failure::Unchanged("no socket of a director is known".to_owned())),
        },
    }
}

/// Refuses where a director keeps the service, or does not say whether it does. What the user saw is some
/// seconds old.
fn refuse_if_kept(
    source: &Source,
    director: Option<&Path>,
    service: ServiceId,
) -> Result<(), Failure> {
    let Some(path) = director else { return Ok(()) };
    match director_status(path, source) {
        Ok(status) if status.services.contains_key(&service) => {
            Err(Failure::Outdated(format!("the director keeps {service} now: nothing was changed")))
        }
        Ok(_) | Err(Absence::NoSocket(_) | Absence::Elsewhere) => Ok(()),
        Err(absence @ Absence::Failed(_)) => {
            Err(Failure::Unchanged(format!("nothing was changed: {absence}")))
        }
    }
}
