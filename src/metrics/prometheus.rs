//! Samples for a registry of `prometheus_client`.

use std::fmt::{self, Write};

use prometheus_client::encoding::{
    DescriptorEncoder, EncodeLabelKey, EncodeLabelSet, LabelSetEncoder, MetricEncoder, NoLabelSet,
};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry;

#[cfg(doc)]
use crate::metrics::Source;
use crate::metrics::{Family, Histogram, Kind, Label, Sample, Scrape, Unit, Value};

/// A collector for a registry of the crate `prometheus_client` 0.26, for programs that serve other metrics,
/// too.
///
/// The registry calls the collector at each scrape. The collector calls the program's function, which reads
/// the table and hands a [`Scrape`] on, once or not at all. A registry with a prefix adds the prefix to the names
/// of the families, which dashboards and alerts then do not find: register the collector with a registry that
/// has none. A reading that failed is to show a [`Source::unread`] with
/// [`Source::scraped`], so that `ipvs_scrape_success` is 0: the registry knows no errors.
///
/// For large tables [`Scrape::write`] takes a fraction of the time and memory.
///
/// ```no_run
/// use std::sync::Mutex;
/// use std::time::Instant;
///
/// use ipvs_netlink::Client;
/// use ipvs_netlink::metrics::{Collector, Options, Scrape, Source};
/// use prometheus_client::registry::Registry;
///
/// let ipvs = Mutex::new(Client::connect()?);
/// let mut registry = Registry::default();
/// registry.register_collector(Box::new(Collector::new(move |show| {
///     let begun = Instant::now();
///     let snapshot = ipvs.lock().ok().and_then(|mut ipvs| ipvs.snapshot().ok());
///     let source = snapshot.as_ref().map_or(Source::unread(), Source::new);
///     let source = source.scraped(snapshot.is_some(), begun.elapsed());
///     show(&Scrape::new(source, Options::new()));
/// })));
/// let mut text = String::new();
/// prometheus_client::encoding::text::encode(&mut text, &registry)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Collector<F> {
    read: F,
}

impl<F> Collector<F>
where
    F: Fn(&mut dyn FnMut(&Scrape<'_>)) + Send + Sync + 'static,
{
    /// Creates a collector. `read` is called at each scrape. It calls its argument with what it has read.
    #[must_use]
    pub const fn new(read: F) -> Self {
        Self { read }
    }
}

impl<F> fmt::Debug for Collector<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").finish_non_exhaustive()
    }
}

impl<F> prometheus_client::collector::Collector for Collector<F>
where
    F: Fn(&mut dyn FnMut(&Scrape<'_>)) + Send + Sync + 'static,
{
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut result = None;
        (self.read)(&mut |scrape| {
            // A second scrape would double the families.
            if result.is_none() {
                result = Some(encode(scrape, &mut encoder));
            }
        });
        result.unwrap_or(Ok(()))
    }
}

fn encode(scrape: &Scrape<'_>, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    for samples in scrape.families() {
        if samples.is_empty() {
            continue;
        }
        let Family { name, kind, unit, help } = *samples.family();
        let unit = unit.map(|unit| match unit {
            Unit::Bytes => registry::Unit::Bytes,
            Unit::Seconds => registry::Unit::Seconds,
        });
        // The encoder adds the unit to the name.
        let bare = unit.as_ref().and_then(|unit| {
            name.strip_suffix(unit.as_str()).and_then(|name| name.strip_suffix('_'))
        });
        let kind = match kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
            Kind::Histogram => MetricType::Histogram,
        };
        let mut metric =
            encoder.encode_descriptor(bare.unwrap_or(name), help, unit.as_ref(), kind)?;
        samples.try_for_each(|sample| {
            let labels = LabelSet(sample);
            value(metric.encode_family(&labels)?, kind, sample.value())
        })?;
    }
    Ok(())
}

fn value(mut encoder: MetricEncoder<'_>, kind: MetricType, value: Value<'_>) -> fmt::Result {
    match (kind, value) {
        (MetricType::Counter, Value::Integer(number)) => {
            encoder.encode_counter::<NoLabelSet, _, f64>(&number, None)
        }
        (_, Value::Integer(number)) => encoder.encode_gauge(&number),
        (_, Value::Float(number)) => encoder.encode_gauge(&number),
        (_, Value::Histogram(histogram)) => {
            let buckets = apart(histogram);
            let sum = histogram.sum().as_secs_f64();
            encoder.encode_histogram::<NoLabelSet>(sum, histogram.count(), &buckets, None)
        }
    }
}

/// The buckets with what is in each of them alone, as the encoder takes them.
fn apart(histogram: &Histogram) -> Vec<(f64, u64)> {
    let mut before = 0;
    let alone = |(bound, count)| (bound, count - std::mem::replace(&mut before, count));
    histogram.buckets().map(alone).collect()
}

struct LabelSet<'s, 'a>(&'s Sample<'a>);

impl EncodeLabelSet for LabelSet<'_, '_> {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> fmt::Result {
        for Label { name, value } in self.0.labels() {
            let mut label = encoder.encode_label();
            let mut key = label.encode_label_key()?;
            EncodeLabelKey::encode(&name, &mut key)?;
            let mut text = key.encode_label_value()?;
            write!(text, "{value}")?;
            text.finish()?;
        }
        Ok(())
    }
}
