//! Dividing many changes into portions, without separating a new service from its first
//! destination: a service without a destination refuses connections.

use std::collections::VecDeque;

use crate::model::Change;

/// Returns how many of the next `length` changes to do at once: at most `most`, and one more if a
/// new service would be separated from its first destination. `change` returns the change at an
/// index.
pub(crate) fn portion<'c>(
    length: usize,
    most: usize,
    change: impl Fn(usize) -> Option<&'c Change>,
) -> usize {
    match belong_together(change(most.wrapping_sub(1)), change(most)) {
        true => most + 1,
        false => length.min(most),
    }
}

/// Returns `true` if `change` adds a service and `next` adds a destination to it.
fn belong_together(change: Option<&Change>, next: Option<&Change>) -> bool {
    match (change, next) {
        (Some(Change::AddService(service)), Some(Change::AddDestination(id, _))) => {
            service.id == *id
        }
        _ => false,
    }
}

/// An iterator of changes, taken in portions.
#[derive(Debug)]
pub(crate) struct Portions<I> {
    changes: I,
    /// A change that was taken to look at, and belongs to the next portion.
    ahead: Option<Change>,
}

impl<I: Iterator<Item = Change>> Portions<I> {
    pub(crate) const fn new(changes: I) -> Self {
        Self { changes, ahead: None }
    }

    /// Appends the next [`portion`] to `portion`.
    pub(crate) fn next(&mut self, most: usize, portion: &mut VecDeque<Change>) {
        portion.extend(self.ahead.take().into_iter().chain(&mut self.changes).take(most));
        if matches!(portion.back(), Some(Change::AddService(_))) && portion.len() >= most {
            let next = self.changes.next();
            if belong_together(portion.back(), next.as_ref()) {
                portion.extend(next);
            } else {
                self.ahead = next;
            }
        }
    }
}
