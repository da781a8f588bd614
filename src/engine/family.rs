//! Finding the id of the IPVS family, and noticing that it has changed.

use std::time::Duration;

use rustix::io::Errno;

use crate::engine::link::Link;
use crate::engine::patience::Patience;
use crate::engine::{Engine, Transport, refused};
use crate::error::{Context, Error, ErrorKind, Result};
use crate::model::Operation;
use crate::proto::{Answer, FamilyId, Refusal, read_lookup};

const RESOLVE: Context = Context::new(Operation::ResolveFamily);

impl<T: Transport> Engine<T> {
    /// Looks the family up again. Returns `true` if its id has changed, because the module was
    /// loaded anew.
    pub(crate) async fn family_moved(&mut self) -> Result<bool> {
        let begun = self.observer.is_set().then(|| self.commands.begun());
        let family = resolve(&mut self.commands, self.deadline).await;
        if let Some(begun) = begun {
            let taken = self.commands.taken_since(begun);
            self.observer.tell(RESOLVE, taken, family.as_ref().map(|_| ()));
        }
        let family = family?;
        let moved = family != self.family;
        self.family = family;
        Ok(moved)
    }

    /// Returns `true` if a request was refused because its family no longer exists. The kernel
    /// has not looked at such a request; it must be sent again.
    pub(crate) async fn is_stale(&mut self, refusal: &Refusal) -> Result<bool> {
        Ok(refusal.errno == Errno::NOENT.raw_os_error() && self.family_moved().await?)
    }

    /// Returns the error for a read that was sent again and refused again. The module may have
    /// been loaded anew once more in between.
    pub(crate) async fn refused_again(&mut self, context: Context, refusal: &Refusal) -> Error {
        match self.is_stale(refusal).await {
            Ok(false) => refused(context, refusal),
            Ok(true) => {
                let extack = refusal.extack.as_deref().cloned();
                Error::refused(context, ErrorKind::FamilyMoved, refusal.errno, extack)
            }
            Err(error) => error.within(context),
        }
    }
}

/// Asks the kernel for the id of the family. The kernel loads the module to answer.
pub(super) async fn resolve<T: Transport>(
    link: &mut Link<T>,
    deadline: Option<Duration>,
) -> Result<FamilyId> {
    let single = link.session.lookup(&mut link.outbox);
    link.send().map_err(|failure| Error::not_sent(RESOLVE, failure))?;
    let mut patience = Patience::new(deadline);
    loop {
        let received = link.receive(&mut patience).await;
        received.map_err(|failure| Error::unanswered(RESOLVE, failure))?;
        match single.read(link.datagram()) {
            Ok(Some(Answer::Data { command, attributes })) => {
                return read_lookup(command, attributes)
                    .map_err(|detail| Error::malformed(RESOLVE, detail));
            }
            Ok(Some(Answer::Refused(refusal))) => return Err(refused(RESOLVE, &refusal)),
            Ok(None) => {}
            Err(detail) => return Err(Error::malformed(RESOLVE, detail)),
        }
    }
}
