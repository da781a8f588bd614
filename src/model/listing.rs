use std::ops::{Deref, DerefMut};

/// What the kernel listed, in its order, and whether the list is complete.
///
/// It is used like a slice: it has a length, can be indexed, iterated and sorted.
/// [`into_vec`](Self::into_vec) gives the vector.
///
/// ```no_run
/// # let mut ipvs = ipvs_netlink::Client::connect()?;
/// let services = ipvs.services()?;
/// println!("{} services", services.len());
/// for entry in &services {
///     println!("{}", entry.service.id);
/// }
/// if !services.is_complete() {
///     eprintln!("some may be missing, where others wrote meanwhile");
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

    /// Whether no entry can be missing or be there twice because others wrote while the
    /// list was read.
    ///
    /// The kernel sends a long list in several datagrams and continues it by position.
    /// Where another program deletes an entry between two datagrams, a different entry is
    /// left out, and nothing in the answer tells. So this is true where the whole
    /// list came in one datagram that had room for more, and false for every longer list,
    /// also where nobody wrote. Some 80 services have room, and 21 destinations of a
    /// service (80 once a service with more than 66 has been read).
    ///
    /// Where this is false and it matters, read a `snapshot` instead: that reads until two
    /// readings agree.
    ///
    /// From Linux 7.1 on, a list of services may lack some even within one datagram, for
    /// some milliseconds after many were added, while the kernel enlarges its hash table.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.complete
    }

    /// The entries as a vector.
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
