//! Collects what the conversion of one service leaves out.

use std::mem::discriminant;

use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::EndpointSlice;
use crate::kubernetes::{Item, ObjectKind, ObjectName, Reason, Skipped};

/// What the conversion of one service and its slices left out.
#[derive(Debug)]
pub(crate) struct Told {
    service: ObjectName,
    pub(crate) all: Vec<Skipped>,
}

impl Told {
    pub(crate) const fn new(service: ObjectName) -> Self {
        Self { service, all: Vec::new() }
    }

    pub(crate) fn service(&mut self, item: Item, reason: impl Into<Reason>) {
        self.all.push(Skipped::new(ObjectKind::Service, self.service.clone(), item, reason.into()));
    }

    pub(crate) fn address(&mut self, field: &'static str, text: &str, reason: impl Into<Reason>) {
        let text = Excerpt::of(text).beginning().to_owned();
        self.service(Item::Address { field, text }, reason);
    }

    /// Tells of `count` items, if there are any.
    pub(crate) fn many(&mut self, item: impl FnOnce() -> Item, reason: Reason, count: usize) {
        if count > 0 {
            self.service(item(), reason);
            if let Some(last) = self.all.last_mut() {
                last.count = count;
            }
        }
    }

    pub(crate) fn slice(&mut self, slice: &EndpointSlice, item: Item, reason: impl Into<Reason>) {
        let name = slice.metadata.object_name();
        self.all.push(Skipped::new(ObjectKind::EndpointSlice, name, item, reason.into()));
    }

    /// Tells of an endpoint. Endpoints of one slice that are left out for the same reason become one
    /// entry: `from` is how many entries there were before those of the slice.
    pub(crate) fn endpoint(
        &mut self,
        slice: &EndpointSlice,
        from: usize,
        address: Option<&String>,
        reason: impl Into<Reason>,
    ) {
        let reason = reason.into();
        let of_slice = self.all.get_mut(from..).unwrap_or_default();
        match of_slice.iter_mut().find(|known| is_alike(&known.reason, &reason)) {
            Some(known) => known.count += 1,
            None => {
                let address = Excerpt::of(address.map_or("", String::as_str));
                self.slice(slice, Item::Endpoint(address.beginning().to_owned()), reason);
            }
        }
    }
}

fn is_alike(a: &Reason, b: &Reason) -> bool {
    match (a, b) {
        (Reason::Invalid(a), Reason::Invalid(b)) => a.rule() == b.rule(),
        _ => discriminant(a) == discriminant(b),
    }
}
