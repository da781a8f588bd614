//! Iterators over what a collection of this crate holds.
//!
//! They wrap the standard library's, so that a collection can store its entries
//! differently without a change of its public interface.

use std::iter::FusedIterator;
use std::{slice, vec};

/// An iterator over references to the entries of a collection, in their order.
#[derive(Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct Iter<'a, T>(slice::Iter<'a, T>);

/// An iterator over the entries of a collection by value, in their order.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct IntoIter<T>(vec::IntoIter<T>);

impl<'a, T> Iter<'a, T> {
    pub(crate) fn new(entries: &'a [T]) -> Self {
        Self(entries.iter())
    }
}

impl<T> IntoIter<T> {
    pub(crate) fn new(entries: Vec<T>) -> Self {
        Self(entries.into_iter())
    }
}

impl<T> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

macro_rules! forward {
    ($([$($generics:tt)*] $name:ty => $item:ty;)*) => {$(
        impl<$($generics)*> Iterator for $name {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                self.0.next()
            }

            #[inline]
            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }

            #[inline]
            fn nth(&mut self, n: usize) -> Option<Self::Item> {
                self.0.nth(n)
            }

            #[inline]
            fn fold<B, F: FnMut(B, Self::Item) -> B>(self, init: B, f: F) -> B {
                self.0.fold(init, f)
            }
        }

        impl<$($generics)*> DoubleEndedIterator for $name {
            #[inline]
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back()
            }
        }

        impl<$($generics)*> ExactSizeIterator for $name {}

        impl<$($generics)*> FusedIterator for $name {}
    )*};
}

forward! {
    ['a, T] Iter<'a, T> => &'a T;
    [T] IntoIter<T> => T;
}
