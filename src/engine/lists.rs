//! Reading a list at once: all entries of a dump, and whether they are complete.

use crate::engine::dumps::Way;
use crate::engine::link::SMALL;
use crate::engine::{Engine, Transport};
use crate::error::Result;
use crate::model::Listing;
use crate::wire::{Reported, Request};

/// Alignment padding can make the next entry up to this many bytes longer than the average.
const PADDING: usize = 16;

/// Returns the length of a datagram with one more entry than the `entries` in `length` bytes.
const fn with_one_more(length: usize, entries: usize) -> usize {
    if entries == 0 { 0 } else { length + length.div_ceil(entries) + PADDING }
}

impl<T: Transport> Engine<T> {
    /// Reads a list.
    pub(crate) async fn list<R: Reported>(
        &mut self,
        request: Request<'static>,
    ) -> Result<Listing<R>> {
        self.list_over(self.way_of(&request), request).await
    }

    /// Reads the entries of a list, complete or not.
    pub(crate) async fn collect<R: Reported>(
        &mut self,
        request: Request<'static>,
    ) -> Result<Vec<R>> {
        Ok(self.list(request).await?.into_vec())
    }

    /// Reads a list over a given socket.
    ///
    /// The list is complete if its first datagram had room for one more entry: the kernel
    /// continues a longer list by position, and so skips an entry if another program deletes an
    /// earlier one meanwhile.
    pub(crate) async fn list_over<R: Reported>(
        &mut self,
        way: Way,
        request: Request<'static>,
    ) -> Result<Listing<R>> {
        match self.list_once(way, request).await {
            // The receive buffer has grown meanwhile.
            Err(error) if error.is_cut_off() => Box::pin(self.list_once(way, request)).await,
            result => result,
        }
    }

    async fn list_once<R: Reported>(
        &mut self,
        way: Way,
        request: Request<'static>,
    ) -> Result<Listing<R>> {
        let mut run = self.begin_over(way, request).await?;
        let filled = self.dump_link(way).filled();
        let (mut all, mut complete, mut total) = (Vec::new(), true, 0);
        while self.load(&mut run).await? {
            if all.is_empty() {
                all.reserve_exact(self.dump_link(way).datagram().len() / R::LENGTH);
            }
            let before = all.len();
            self.read_on(&mut run, &mut all)?;
            if all.len() > before {
                total += self.dump_link(way).datagram().len();
                complete = before == 0 && with_one_more(total, all.len()) <= filled;
            }
        }
        match run.request {
            Request::Destinations(_) => {
                self.few_destinations = with_one_more(total, all.len()) <= SMALL;
            }
            Request::Services => self.listed_services = Some(all.len()),
            _ => {}
        }
        Ok(Listing::new(all, complete))
    }
}
