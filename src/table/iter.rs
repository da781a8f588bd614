//! Iterators over tables.
//!
//! They wrap the standard library's, so that a table can store its entries differently without
//! a change of its public interface.

use std::collections::btree_map::{IntoValues, Values};
use std::iter::FusedIterator;
use std::slice;

use crate::model::ServiceId;
use crate::table::{TableDestination, TableService};

/// An iterator over the services of a [`Table`](crate::table::Table), in the order of their ids.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct Services<'t>(pub(crate) Values<'t, ServiceId, TableService>);

/// An iterator over the destinations of a [`TableService`], in the order of their ids.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct Destinations<'t>(pub(crate) slice::Iter<'t, TableDestination>);

/// An iterator over the services of a [`Table`](crate::table::Table) by value, in the order of
/// their ids.
#[derive(Debug)]
#[must_use = "iterators do nothing unless they are consumed"]
pub struct IntoServices(pub(crate) IntoValues<ServiceId, TableService>);

macro_rules! forward {
    ($($name:ty => $item:ty, <$($lifetime:lifetime)?>;)*) => {$(
        impl<$($lifetime)?> Iterator for $name {
            type Item = $item;

            fn next(&mut self) -> Option<Self::Item> {
                self.0.next()
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl<$($lifetime)?> DoubleEndedIterator for $name {
            fn next_back(&mut self) -> Option<Self::Item> {
                self.0.next_back()
            }
        }

        impl<$($lifetime)?> ExactSizeIterator for $name {}

        impl<$($lifetime)?> FusedIterator for $name {}
    )*};
}

forward! {
    Services<'t> => &'t TableService, <'t>;
    Destinations<'t> => &'t TableDestination, <'t>;
    IntoServices => TableService, <>;
}
