use crate::metrics::families::{self, CounterOf, NumberOf};
use crate::metrics::{
    CheckResult, Family, Label, LabelValue, Names, Sample, Scrape, Source, Value, node_exporter,
};
use crate::model::{DestinationEntry, Forwarding, ServiceId, ServiceSnapshot, Timeouts};

/// Takes the samples of a [`Scrape`], one after the other.
pub trait Visitor {
    /// What ends the visit.
    type Error;

    /// Begins a family. All its samples follow. A family without samples is left out.
    ///
    /// # Errors
    ///
    /// An error ends the visit.
    fn family(&mut self, family: &'static Family) -> Result<(), Self::Error>;

    /// Takes a sample of the family that was begun last.
    ///
    /// # Errors
    ///
    /// An error ends the visit.
    fn sample(&mut self, family: &'static Family, sample: &Sample<'_>) -> Result<(), Self::Error>;
}

impl<'a> Scrape<'a> {
    /// Hands each sample to `visitor`, family by family.
    ///
    /// # Errors
    ///
    /// The first error of the visitor.
    pub fn visit<V: Visitor>(&self, visitor: &mut V) -> Result<(), V::Error> {
        let mut visit = Visit::new(self, visitor);
        if matches!(self.options.names, Names::Own | Names::Both) {
            visit.namespaces()?;
            visit.services()?;
            visit.destinations()?;
            visit.health()?;
            visit.apply()?;
        }
        if matches!(self.options.names, Names::NodeExporter | Names::Both) {
            node_exporter::visit(&mut visit)?;
        }
        Ok(())
    }
}

/// A visit under way.
pub(super) struct Visit<'v, 'a, V> {
    pub(super) scrape: &'v Scrape<'a>,
    visitor: &'v mut V,
    family: Option<&'static Family>,
    services_fit: bool,
    pub(super) destinations_fit: bool,
}

impl<'v, 'a, V: Visitor> Visit<'v, 'a, V> {
    fn new(scrape: &'v Scrape<'a>, visitor: &'v mut V) -> Self {
        let snapshots = || scrape.sources.iter().filter_map(|source| source.snapshot);
        let services: usize = snapshots().map(|snapshot| snapshot.len()).sum();
        let lists = snapshots().flatten().map(|service| service.destinations.len());
        let destinations: usize = lists.sum();
        let services_fit = services <= scrape.options.most_services;
        let destinations_fit = destinations <= scrape.options.most_destinations;
        Self { scrape, visitor, family: None, services_fit, destinations_fit }
    }

    pub(super) fn emit(
        &mut self,
        family: &'static Family,
        sample: &Sample<'_>,
    ) -> Result<(), V::Error> {
        if !self.family.is_some_and(|begun| std::ptr::eq(begun, family)) {
            self.visitor.family(family)?;
            self.family = Some(family);
        }
        self.visitor.sample(family, sample)
    }

    /// Emits a number of each namespace that has it.
    fn of_namespaces(
        &mut self,
        family: &'static Family,
        value: impl Fn(&Source<'_>) -> Option<u64>,
    ) -> Result<(), V::Error> {
        for source in &self.scrape.sources {
            if let Some(value) = value(source) {
                self.emit(family, &Sample::new(source.namespace, Value::Integer(value)))?;
            }
        }
        Ok(())
    }

    fn namespaces(&mut self) -> Result<(), V::Error> {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        self.of_namespaces(&families::SCRAPE_SUCCESS, |it| it.scraped.map(|it| it.0.into()))?;
        for source in &self.scrape.sources {
            if let Some((_, took)) = source.scraped {
                let value = Value::Float(took.as_secs_f64());
                self.emit(&families::SCRAPE_DURATION, &Sample::new(source.namespace, value))?;
            }
        }
        self.of_namespaces(&families::COMPLETE, |it| {
            it.snapshot.map(|snapshot| snapshot.is_complete().into())
        })?;
        for source in &self.scrape.sources {
            if let Some(info) = source.info {
                let version = info.version.to_string();
                let labels = [("version", LabelValue::Text(&version))];
                let sample = Sample::new(source.namespace, Value::Integer(1)).with(&labels);
                self.emit(&families::INFO, &sample)?;
            }
        }
        self.of_namespaces(&families::CONNECTION_TABLE_SIZE, |it| {
            it.info.map(|info| info.connection_table_size.into())
        })?;
        self.of_namespaces(&families::ESTIMATION, |it| it.estimation.map(u64::from))?;
        self.timeouts()?;
        let services_of = |it: &Source<'_>| it.snapshot.map(|snapshot| count(snapshot.len()));
        let destinations_of = |it: &Source<'_>| {
            let lists = it.snapshot?.services().map(|service| service.destinations.len());
            Some(count(lists.sum()))
        };
        self.of_namespaces(&families::SERVICES, services_of)?;
        self.of_namespaces(&families::DESTINATIONS, destinations_of)?;
        if !self.services_fit {
            self.of_namespaces(&families::OMITTED_SERVICES, services_of)?;
        }
        if self.wants_destinations() && !self.destinations_fit {
            self.of_namespaces(&families::OMITTED_DESTINATIONS, destinations_of)?;
        }
        for (family, counter) in &families::TOTALS {
            self.of_namespaces(family, |it| it.totals.as_ref().map(counter))?;
        }
        Ok(())
    }

    fn wants_destinations(&self) -> bool {
        self.scrape.options.names != Names::Own
            || self.scrape.options.destinations != crate::metrics::Destinations::NONE
    }

    fn timeouts(&mut self) -> Result<(), V::Error> {
        for source in &self.scrape.sources {
            let Some(Timeouts { tcp, tcp_fin, udp }) = source.timeouts else { continue };
            for (kind, timeout) in [("tcp", tcp), ("tcpfin", tcp_fin), ("udp", udp)] {
                if let Some(timeout) = timeout {
                    let labels = [("kind", LabelValue::Text(kind))];
                    let value = Value::Integer(timeout.as_secs());
                    let sample = Sample::new(source.namespace, value).with(&labels);
                    self.emit(&families::TIMEOUT, &sample)?;
                }
            }
        }
        Ok(())
    }

    /// Calls `each` for every service that has samples of its own, with a sample to build on.
    fn for_services(
        &mut self,
        mut each: impl FnMut(&mut Self, &ServiceSnapshot, Sample<'_>) -> Result<(), V::Error>,
    ) -> Result<(), V::Error> {
        if !self.services_fit {
            return Ok(());
        }
        for source in &self.scrape.sources {
            for service in source.snapshot.into_iter().flatten() {
                each(self, service, of_service(source, service.id()))?;
            }
        }
        Ok(())
    }

    fn services(&mut self) -> Result<(), V::Error> {
        self.for_services(|visit, service, sample| visit.service_info(service, sample))?;
        self.for_services(|visit, service, sample| {
            let Some(persistence) = service.entry.service.persistence else { return Ok(()) };
            let value = Value::Integer(persistence.timeout.as_secs());
            visit.emit(&families::SERVICE_PERSISTENCE, &Sample { value, ..sample })
        })?;
        self.for_services(|visit, service, sample| {
            let mut states = [("active", 0), ("drained", 0), ("overloaded", 0)];
            for entry in &service.destinations {
                let [active, drained, overloaded] = &mut states;
                let state = match state(entry) {
                    State::Active => active,
                    State::Drained => drained,
                    State::Overloaded => overloaded,
                };
                state.1 += 1;
            }
            for (name, count) in states {
                let labels = [("state", LabelValue::Text(name))];
                let sample = Sample { value: Value::Integer(count), ..sample };
                visit.emit(&families::SERVICE_DESTINATIONS, &sample.with(&labels))?;
            }
            Ok(())
        })?;
        for (family, counter) in &families::OF_SERVICE {
            self.for_services(|visit, service, sample| {
                let value = Value::Integer(counter(&service.entry.stats));
                visit.emit(family, &Sample { value, ..sample })
            })?;
        }
        Ok(())
    }

    fn service_info(
        &mut self,
        service: &ServiceSnapshot,
        sample: Sample<'_>,
    ) -> Result<(), V::Error> {
        let service = &service.entry.service;
        let scheduler = service.scheduler.to_string();
        let flags = service.flags.named_for(service.scheduler);
        let engine = service.persistence.and_then(|it| it.engine);
        let engine = engine.map(|engine| engine.to_string()).unwrap_or_default();
        let labels: [Label<'_>; 3] = [
            ("scheduler", LabelValue::Text(&scheduler)),
            ("flags", LabelValue::Text(&flags)),
            ("persistence_engine", LabelValue::Text(&engine)),
        ];
        self.emit(&families::SERVICE_INFO, &sample.with(&labels))
    }

    /// Calls `each` for every destination that has samples of its own, with a sample to build on.
    fn for_destinations(
        &mut self,
        mut each: impl FnMut(&mut Self, &DestinationEntry, Sample<'_>) -> Result<(), V::Error>,
    ) -> Result<(), V::Error> {
        if !self.destinations_fit {
            return Ok(());
        }
        for source in &self.scrape.sources {
            for service in source.snapshot.into_iter().flatten() {
                let sample = of_service(source, service.id());
                let mut last = None;
                for entry in &service.destinations {
                    // A reading that other programs disturbed may have an entry twice.
                    let id = Some(entry.id());
                    if last != id {
                        last = id;
                        each(self, entry, Sample { destination: id, ..sample })?;
                    }
                }
            }
        }
        Ok(())
    }

    fn destinations(&mut self) -> Result<(), V::Error> {
        let wanted = self.scrape.options.destinations;
        if wanted.info {
            self.for_destinations(|visit, entry, sample| visit.destination_info(entry, sample))?;
        }
        let mut numbers: [(bool, &[NumberOf]); 3] = [
            (wanted.weight, &families::WEIGHT),
            (wanted.thresholds, &families::THRESHOLDS),
            (wanted.connections, &families::OPEN_CONNECTIONS),
        ];
        numbers.iter_mut().filter(|it| !it.0).for_each(|it| it.1 = &[]);
        for (family, number) in numbers.iter().flat_map(|it| it.1) {
            self.for_destinations(|visit, entry, sample| {
                let value = Value::Integer(number(entry).into());
                visit.emit(family, &Sample { value, ..sample })
            })?;
        }
        let counters: &[CounterOf] = if wanted.traffic { &families::OF_DESTINATION } else { &[] };
        for (family, counter) in counters {
            self.for_destinations(|visit, entry, sample| {
                let value = Value::Integer(counter(&entry.stats));
                visit.emit(family, &Sample { value, ..sample })
            })?;
        }
        Ok(())
    }

    fn destination_info(
        &mut self,
        entry: &DestinationEntry,
        sample: Sample<'_>,
    ) -> Result<(), V::Error> {
        let unknown;
        let mut tunnel = String::new();
        let forward = match entry.destination.forwarding {
            Forwarding::Masquerade => "Masq",
            Forwarding::DirectRoute => "Route",
            Forwarding::Tunnel(of_type) => {
                tunnel = of_type.to_string();
                "Tunnel"
            }
            Forwarding::LocalNode => "Local",
            Forwarding::Bypass => "Bypass",
            other @ Forwarding::Unknown(_) => {
                unknown = other.to_string();
                &unknown
            }
        };
        let labels: [Label<'_>; 2] =
            [("forward", LabelValue::Text(forward)), ("tunnel", LabelValue::Text(&tunnel))];
        self.emit(&families::DESTINATION_INFO, &sample.with(&labels))
    }

    fn health(&mut self) -> Result<(), V::Error> {
        for source in &self.scrape.sources {
            for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
                for (destination, counts) in &service.destinations {
                    let Some(up) = counts.up else { continue };
                    let destination = Some(*destination);
                    let value = Value::Integer(up.into());
                    let sample = Sample { destination, value, ..of_service(source, id) };
                    self.emit(&families::HEALTH_UP, &sample)?;
                }
            }
        }
        for source in &self.scrape.sources {
            for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
                for (destination, counts) in &service.destinations {
                    for (result, count) in CheckResult::ALL.into_iter().zip(counts.results) {
                        let labels = [("result", LabelValue::Text(result.name()))];
                        let destination = Some(*destination);
                        let value = Value::Integer(count);
                        let sample = Sample { destination, value, ..of_service(source, id) };
                        self.emit(&families::HEALTH_CHECKS, &sample.with(&labels))?;
                    }
                }
            }
        }
        for source in &self.scrape.sources {
            for (id, service) in source.health.into_iter().flat_map(|it| it.services()) {
                let Some(panic) = service.panic else { continue };
                let value = Value::Integer(panic.into());
                let sample = Sample { value, ..of_service(source, id) };
                self.emit(&families::HEALTH_PANIC, &sample)?;
            }
        }
        for source in &self.scrape.sources {
            for (check, durations) in source.health.into_iter().flat_map(|it| it.durations()) {
                let labels = [("check", LabelValue::Text(check))];
                let sample = Sample::new(source.namespace, Value::Histogram(durations));
                self.emit(&families::HEALTH_DURATION, &sample.with(&labels))?;
            }
        }
        Ok(())
    }

    fn apply(&mut self) -> Result<(), V::Error> {
        for source in &self.scrape.sources {
            for (operation, counts) in source.apply.into_iter().flat_map(|it| it.operations()) {
                for (result, count) in ["success", "failure"].into_iter().zip(counts) {
                    let labels = [
                        ("operation", LabelValue::Text(operation)),
                        ("result", LabelValue::Text(result)),
                    ];
                    let sample = Sample::new(source.namespace, Value::Integer(count));
                    self.emit(&families::APPLY_OPERATIONS, &sample.with(&labels))?;
                }
            }
        }
        for source in &self.scrape.sources {
            if let Some(time) = source.apply.and_then(|it| it.last_success()) {
                let sample = Sample::new(source.namespace, Value::Float(time.as_secs_f64()));
                self.emit(&families::APPLY_LAST_SUCCESS, &sample)?;
            }
        }
        Ok(())
    }
}

/// A sample of a service, of value 1.
fn of_service<'a>(source: &Source<'a>, id: ServiceId) -> Sample<'a> {
    let own = source.labels.and_then(|labels| labels.get(&id)).filter(|it| !it.is_empty());
    Sample { service: Some(id), own, ..Sample::new(source.namespace, Value::Integer(1)) }
}

enum State {
    Active,
    Drained,
    Overloaded,
}

/// The kernel does not show whether a destination that has fallen below its upper threshold is
/// still overloaded, so it counts as active.
fn state(entry: &DestinationEntry) -> State {
    let upper = entry.destination.thresholds.upper;
    let connections = entry.connections.active.saturating_add(entry.connections.inactive);
    match entry.destination.weight {
        0 => State::Drained,
        _ if upper > 0 && connections >= upper => State::Overloaded,
        _ => State::Active,
    }
}
