//! All families, each with what its samples are made of.

mod counts;
mod destinations;
mod namespaces;
mod node_exporter;
mod services;

use std::ops::ControlFlow;

use crate::metrics::{Destinations, Family, Names, Sample, Scrape, Source, Value};
use crate::model::{DestinationEntry, ServiceId, ServiceSnapshot, Stats};

/// Takes samples, until it breaks.
pub(super) type Sink<'k> = dyn FnMut(&Sample<'_>) -> ControlFlow<()> + 'k;

/// A family and its samples.
pub(super) struct Entry {
    pub(super) family: Family,
    pub(super) of: Of,
}

/// What the samples of a family are made of. A function with a sample gets one with the labels of the
/// object, and a sink for what it makes of it.
#[derive(Clone, Copy)]
pub(super) enum Of {
    /// A number of a namespace, where it is known.
    Namespace(fn(&Source<'_>) -> Option<u64>),
    /// Any samples of a namespace.
    Source(fn(&Source<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// Any samples of a service.
    Service(fn(&ServiceSnapshot, Sample<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// A counter of a service.
    ServiceCounter(fn(&Stats) -> u64),
    /// Any samples of a destination.
    Destination(fn(&DestinationEntry, Sample<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// A number of a destination.
    DestinationNumber(fn(&DestinationEntry) -> u64),
    /// A number of a destination, by node_exporter's labels.
    Backend(fn(&DestinationEntry) -> u32),
}

const fn entry(family: Family, of: Of) -> Entry {
    Entry { family, of }
}

/// A group of entries, and whether a scrape has them.
type Group = (&'static [Entry], fn(&Scrape<'_>) -> bool);

fn own(scrape: &Scrape<'_>) -> bool {
    matches!(scrape.options.names, Names::Own | Names::Both)
}

fn node_exporter(scrape: &Scrape<'_>) -> bool {
    matches!(scrape.options.names, Names::NodeExporter | Names::Both)
}

fn with(scrape: &Scrape<'_>, wanted: fn(&Destinations) -> bool) -> bool {
    own(scrape) && wanted(&scrape.options.destinations)
}

fn omits_destinations(scrape: &Scrape<'_>) -> bool {
    own(scrape) && scrape.options.wants_destinations() && !scrape.destinations_fit()
}

static GROUPS: &[Group] = &[
    (namespaces::ENTRIES, own),
    (namespaces::OMITTED_SERVICES, |scrape| own(scrape) && !scrape.services_fit()),
    (namespaces::OMITTED_DESTINATIONS, omits_destinations),
    (services::ENTRIES, own),
    (destinations::INFO, |scrape| with(scrape, |it| it.info)),
    (destinations::WEIGHT, |scrape| with(scrape, |it| it.weight)),
    (destinations::THRESHOLDS, |scrape| with(scrape, |it| it.thresholds)),
    (destinations::CONNECTIONS, |scrape| with(scrape, |it| it.connections)),
    (destinations::TRAFFIC, |scrape| with(scrape, |it| it.traffic)),
    (counts::ENTRIES, own),
    (node_exporter::ENTRIES, node_exporter),
];

/// Yields the families that a scrape may have samples of.
pub(super) fn of(scrape: &Scrape<'_>) -> impl Iterator<Item = &'static Entry> {
    GROUPS.iter().filter(|(_, wanted)| wanted(scrape)).flat_map(|(entries, _)| *entries)
}

/// Yields every family.
#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    GROUPS.iter().flat_map(|(entries, _)| *entries).map(|entry| &entry.family)
}

impl Of {
    /// Makes the samples of a family.
    pub(super) fn samples(self, scrape: &Scrape<'_>, sink: &mut Sink<'_>) -> ControlFlow<()> {
        match self {
            Self::Namespace(number) => scrape.sources.iter().try_for_each(|source| {
                let Some(number) = number(source) else { return ControlFlow::Continue(()) };
                sink(&Sample::new(source.netns, Value::Integer(number)))
            }),
            Self::Source(samples) => {
                scrape.sources.iter().try_for_each(|source| samples(source, sink))
            }
            Self::Service(samples) => {
                scrape.services(&mut |service, sample| samples(service, sample, sink))
            }
            Self::ServiceCounter(counter) => scrape.services(&mut |service, sample| {
                sink(&Sample { value: Value::Integer(counter(&service.entry.stats)), ..sample })
            }),
            Self::Destination(samples) => {
                scrape.destinations(&mut |entry, sample| samples(entry, sample, sink))
            }
            Self::DestinationNumber(number) => scrape.destinations(&mut |entry, sample| {
                sink(&Sample { value: Value::Integer(number(entry)), ..sample })
            }),
            Self::Backend(number) => node_exporter::samples(scrape, number, sink),
        }
    }
}

impl Scrape<'_> {
    fn services(
        &self,
        each: &mut dyn FnMut(&ServiceSnapshot, Sample<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.services_fit() {
            return ControlFlow::Continue(());
        }
        self.sources.iter().try_for_each(|source| {
            let mut services = source.snapshot.into_iter().flatten();
            services.try_for_each(|service| each(service, of_service(source, service.id())))
        })
    }

    fn destinations(
        &self,
        each: &mut dyn FnMut(&DestinationEntry, Sample<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        if !self.destinations_fit() {
            return ControlFlow::Continue(());
        }
        for source in &self.sources {
            for service in source.snapshot.into_iter().flatten() {
                let sample = of_service(source, service.id());
                for entry in once_each(service) {
                    each(entry, Sample { destination: Some(entry.id()), ..sample })?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

/// Yields the destinations of a service. A reading that other programs disturbed may have one twice.
fn once_each(service: &ServiceSnapshot) -> impl Iterator<Item = &DestinationEntry> {
    let mut last = None;
    let new = move |entry: &&DestinationEntry| last.replace(entry.id()) != Some(entry.id());
    service.destinations.iter().filter(new)
}

/// A sample of a service, of value 1.
fn of_service<'a>(source: &Source<'a>, id: ServiceId) -> Sample<'a> {
    let own = source.labels.and_then(|labels| labels.get(&id)).filter(|it| !it.is_empty());
    Sample { service: Some(id), own, ..Sample::new(source.netns, Value::Integer(1)) }
}
