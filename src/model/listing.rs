use std::ops::{Deref, DerefMut};

/// A list that a client read, in the order of the kernel. It says whether it is complete.
///
/// A listing derefs to a slice, so it has a length and can be indexed, iterated and sorted.
/// [`into_vec`](Self::into_vec) returns a `Vec`.
///
/// ```no_run
/// # let mut ipvs = ipvs_netlink::Client::connect()?;
/// let services = ipvs.services()?;
/// println!("{} services", services.len());
/// for entry in &services {
///     println!("{}", entry.service.id);
/// }
/// if !services.is_complete() {
///     eprintln!("if other programs wrote meanwhile, some services may be missing");
/// }
/// # Ok::<(), ipvs_netlink::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Listing<T> {
    entries: Vec<T>,
    complete: bool,
}

impl<T> Listing<T> {
    pub(crate) const fn new(entries: Vec<T>, complete: bool) -> Self {
        Self { entries, complete }
    }

    /// Returns `true` if no entry can be missing or duplicate.
    ///
    /// The kernel sends a long list in several datagrams and continues it by position. If
    /// another program deletes an entry between two datagrams, the kernel skips another entry
    /// and does not report that. So this returns `true` if the whole list came in one datagram
    /// with room for more, and `false` for every longer list, even if no program wrote. One
    /// datagram has room for some 80 services. It has room for 21 destinations of a service,
    /// and for 80 after the client has read a service with more than 66.
    ///
    /// If a list must be complete, read a `snapshot`. It reads until two readings agree.
    ///
    /// From Linux 7.1, services can be missing even within one datagram. The kernel enlarges
    /// its hash table for some milliseconds after many services were added.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// Returns the entries as a `Vec`.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.entries
    }
}

impl<T> Deref for Listing<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.entries
    }
}

impl<T> DerefMut for Listing<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.entries
    }
}

impl<T> AsRef<[T]> for Listing<T> {
    fn as_ref(&self) -> &[T] {
        self
    }
}

impl<T> From<Listing<T>> for Vec<T> {
    fn from(listing: Listing<T>) -> Self {
        listing.into_vec()
    }
}

impl<T> IntoIterator for Listing<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<'l, T> IntoIterator for &'l Listing<T> {
    type Item = &'l T;
    type IntoIter = std::slice::Iter<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'l, T> IntoIterator for &'l mut Listing<T> {
    type Item = &'l mut T;
    type IntoIter = std::slice::IterMut<'l, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: PartialEq> PartialEq<[T]> for Listing<T> {
    fn eq(&self, other: &[T]) -> bool {
        **self == *other
    }
}

impl<T: PartialEq> PartialEq<&[T]> for Listing<T> {
    fn eq(&self, other: &&[T]) -> bool {
        **self == **other
    }
}

impl<T: PartialEq, const N: usize> PartialEq<[T; N]> for Listing<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        **self == *other
    }
}

impl<T: PartialEq> PartialEq<Vec<T>> for Listing<T> {
    fn eq(&self, other: &Vec<T>) -> bool {
        self.entries == *other
    }
}

impl<T: PartialEq> PartialEq<Listing<T>> for Vec<T> {
    fn eq(&self, other: &Listing<T>) -> bool {
        other == self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_is_used_as_the_vector_that_it_was() {
        let mut listing = Listing::new(vec![3, 1, 2], true);
        assert_eq!((listing.len(), listing[0], listing.first()), (3, 3, Some(&3)));
        listing.sort_unstable();
        assert_eq!(listing, [1, 2, 3]);
        assert_eq!(listing, vec![1, 2, 3]);
        for number in &mut listing {
            *number += 1;
        }
        let mut sum = 0;
        for number in &listing {
            sum += number;
        }
        assert_eq!(sum, 9);
        let vector: Vec<i32> = listing.clone().into();
        assert_eq!(vector, listing.clone().into_vec());
        assert_eq!(listing.into_iter().collect::<Vec<_>>(), vector);
    }

    #[test]
    fn completeness_counts_among_listings() {
        assert_ne!(Listing::new(vec![1], true), Listing::new(vec![1], false));
    }
}
