//! `node-proxy run --explain`: what became of a service of the cluster.

use std::io::{self, Write as _};

use ipvs_netlink::kubernetes::{Event, ObjectName};

use super::failure::Failure;
use super::incoming::Incoming;
use crate::arguments::Subject;
use crate::cluster::Notice;
use crate::explanation::Explanation;
use crate::manifests::Objects;

/// Asks the cluster once, and prints what became of a service.
pub(super) async fn explain(subject: &Subject, mut incoming: Incoming) -> Result<(), Failure> {
    let mut objects = Objects::default();
    let first = incoming.first_in_time(|_, notice| {
        if let Notice::Listed(event) | Notice::Changed(event) = notice {
            keep(&mut objects, &subject.service, event);
        }
    });
    first.await?;
    let converter = incoming.caches.converter();
    let (converted, node) = (converter.converted(), &converter.options().node_name);
    match Explanation::of(subject, &objects, &converted, node) {
        Some(explanation) => Ok(write!(io::stdout(), "{explanation}")?),
        None => Err(Failure::NoSubject(subject.to_string())),
    }
}

/// Keeps the service and its slices as they came last.
fn keep(objects: &mut Objects, subject: &ObjectName, event: &Event) {
    match event {
        Event::Service(service) if service.metadata.object_name() == *subject => {
            objects.services = vec![service.clone()];
        }
        Event::Slice(slice)
            if slice.metadata.namespace == subject.namespace()
                && slice.service() == Some(subject.name()) =>
        {
            objects.slices.retain(|it| it.metadata.name != slice.metadata.name);
            objects.slices.push(slice.clone());
        }
        _ => {}
    }
}
