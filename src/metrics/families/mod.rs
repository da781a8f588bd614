//! All families, each with what its samples are made of.

mod counts;
mod destinations;
mod namespaces;
mod node_exporter;
mod services;

use std::ops::ControlFlow;

use crate::metrics::{Destinations, Family, Names, Options, Sample, Scrape, Source, Value};
use crate::model::{DestinationEntry, ServiceId, ServiceSnapshot, Stats};

/// Takes samples, until it breaks.
pub(super) type Sink<'k> = dyn FnMut(&Sample<'_>) -> ControlFlow<()> + 'k;

/// Returns a number of a destination, if it has one.
pub(super) type DestinationNumber = fn(&DestinationEntry) -> Option<u64>;

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
    /// How many objects of a namespace have no samples of their own.
    Omitted(fn(&Source<'_>, &Options) -> Option<usize>),
    /// Any samples of a namespace.
    Source(fn(&Source<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// Any samples of a service.
    Service(fn(&ServiceSnapshot, Sample<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// A counter of a service.
    ServiceCounter(fn(&Stats) -> u64),
    /// Any samples of a destination.
    Destination(fn(&DestinationEntry, Sample<'_>, &mut Sink<'_>) -> ControlFlow<()>),
    /// A number of a destination, where there is one.
    DestinationNumber(DestinationNumber),
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

static GROUPS: &[Group] = &[
    (namespaces::READING, |_| true),
    (namespaces::ENTRIES, own),
    (namespaces::OMITTED_SERVICES, |scrape| own(scrape) && !scrape.services_fit()),
    (namespaces::OMITTED_DESTINATIONS, |scrape| !scrape.destinations_fit()),
    (services::ENTRIES, own),
    (destinations::INFO, |scrape| with(scrape, |it| it.info)),
    (destinations::WEIGHT, |scrape| with(scrape, |it| it.weight)),
    (destinations::THRESHOLDS, |scrape| with(scrape, |it| it.thresholds)),
    (destinations::CONNECTIONS, |scrape| with(scrape, |it| it.connections)),
    (destinations::TRAFFIC, |scrape| with(scrape, |it| it.traffic)),
    (counts::DESTINATIONS, |scrape| with(scrape, |it| it.health) && scrape.destinations_fit()),
    (counts::SERVICES, |scrape| own(scrape) && scrape.services_fit()),
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
            Self::Omitted(count) => scrape.sources.iter().try_for_each(|source| {
                let count = count(source, &scrape.options).and_then(|it| u64::try_from(it).ok());
                let Some(count) = count else { return ControlFlow::Continue(()) };
                sink(&Sample::new(source.netns, Value::Integer(count)))
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
            Self::DestinationNumber(number) => {
                scrape.destinations(&mut |entry, sample| match number(entry) {
                    None => ControlFlow::Continue(()),
                    Some(number) => sink(&Sample { value: Value::Integer(number), ..sample }),
                })
            }
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
        for (service, sample) in self.services_with_destinations() {
            for entry in once_each(service) {
                each(entry, Sample { destination: Some(entry.id()), ..sample })?;
            }
        }
        ControlFlow::Continue(())
    }

    /// Yields the services, each with a sample of it, if their destinations have samples.
    pub(super) fn services_with_destinations(
        &self,
    ) -> impl Iterator<Item = (&ServiceSnapshot, Sample<'_>)> {
        let sources = if self.destinations_fit() { self.sources.as_slice() } else { &[] };
        sources.iter().flat_map(|source| {
            let services = source.snapshot.into_iter().flatten();
            services.map(move |service| (service, of_service(source, service.id())))
        })
    }
}

/// Yields the destinations of a service. A reading that other programs disturbed may have one twice.
pub(super) fn once_each(service: &ServiceSnapshot) -> impl Iterator<Item = &DestinationEntry> {
    let mut last = None;
    let new = move |entry: &&DestinationEntry| last.replace(entry.id()) != Some(entry.id());
    service.destinations.iter().filter(new)
}

/// A sample of a service, of value 1.
fn of_service<'a>(source: &Source<'a>, id: ServiceId) -> Sample<'a> {
    let own = source.labels.and_then(|labels| labels.of_service(id));
    Sample { service: Some(id), own, ..Sample::new(source.netns, Value::Integer(1)) }
}
