//! Prints samples in the text formats.

use std::io::{self, Write};
use std::net::IpAddr;

use crate::metrics::sample::{Label, LabelValue, Sample, Value, destination_labels};
use crate::metrics::{Family, Histogram, Scrape};
use crate::model::ServiceId;

/// How many bytes are collected before they are written.
const CHUNK: usize = 1 << 15;

/// A text format for samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The text format of Prometheus, version 0.0.4.
    #[default]
    Prometheus,
    /// The text format of OpenMetrics, version 1.0.0. It has units, and a mark at its end.
    OpenMetrics,
}

impl Format {
    /// Returns the media type for the header `Content-Type`.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

impl Scrape<'_> {
    /// Prints all samples. Families without samples are left out.
    ///
    /// The text is written in chunks of some 32 KiB and never held as a whole.
    ///
    /// ```
    /// use ipvs_netlink::metrics::{Format, Options, Scrape, Source};
    /// use ipvs_netlink::{Service, ServiceEntry, ServiceSnapshot, Snapshot, Stats};
    ///
    /// let web = ServiceEntry::new(Service::tcp("192.0.2.10:80".parse()?), Stats::default());
    /// let snapshot = Snapshot::from_iter([ServiceSnapshot::new(web, Vec::new())]);
    /// let mut text = Vec::new();
    /// Scrape::new(Source::new(&snapshot), Options::new()).write(Format::Prometheus, &mut text)?;
    /// let line = r#"ipvs_service_connections_total{protocol="TCP",address="192.0.2.10",port="80"} 0"#;
    /// assert!(String::from_utf8(text)?.lines().any(|it| it == line));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first error of `out`.
    pub fn write(&self, format: Format, out: impl Write) -> io::Result<()> {
        let mut printer = Printer { format, out, text: Vec::with_capacity(CHUNK + CHUNK / 4) };
        for samples in self.families() {
            let family = samples.family();
            let mut lines = Lines::default();
            samples.try_for_each(|sample| {
                if lines.name.is_empty() {
                    printer.header(family);
                    lines.name = [family.name, family.suffix()].concat();
                }
                printer.sample(&mut lines, sample)
            })?;
        }
        if format == Format::OpenMetrics {
            printer.text.extend_from_slice(b"# EOF\n");
        }
        printer.out.write_all(&printer.text)?;
        printer.out.flush()
    }
}

struct Printer<W> {
    format: Format,
    out: W,
    text: Vec<u8>,
}

/// The lines of one family.
#[derive(Default)]
struct Lines {
    name: String,
    /// The beginning of the lines of one service: name and labels, without the brace at their end.
    start: Vec<u8>,
    /// Of which service and namespace that beginning is.
    of: Option<ServiceId>,
    netns: Option<String>,
}

impl<W: Write> Printer<W> {
    fn header(&mut self, family: &Family) {
        let (name, kind) = (family.name, family.kind.name());
        let suffix = match self.format {
            Format::Prometheus => family.suffix(),
            Format::OpenMetrics => "",
        };
        let unit = family.unit.filter(|_| self.format == Format::OpenMetrics);
        for part in
            ["# HELP ", name, suffix, " ", family.help, "\n# TYPE ", name, suffix, " ", kind]
        {
            self.text.extend_from_slice(part.as_bytes());
        }
        if let Some(unit) = unit {
            for part in ["\n# UNIT ", name, " ", unit.name()] {
                self.text.extend_from_slice(part.as_bytes());
            }
        }
        self.text.push(b'\n');
    }

    fn sample(&mut self, lines: &mut Lines, sample: &Sample<'_>) -> io::Result<()> {
        if lines.start.is_empty()
            || lines.of != sample.service
            || lines.netns.as_deref() != sample.netns
        {
            lines.begin(sample);
        }
        match sample.value {
            Value::Integer(number) => {
                self.labels(&lines.start, sample, None);
                push_number(&mut self.text, number);
            }
            Value::Float(number) => {
                self.labels(&lines.start, sample, None);
                write!(self.text, "{number}")?;
            }
            Value::Histogram(histogram) => return self.histogram(lines, sample, histogram),
        }
        self.end_line()
    }

    fn histogram(
        &mut self,
        lines: &Lines,
        sample: &Sample<'_>,
        histogram: &Histogram,
    ) -> io::Result<()> {
        let labels = lines.start.get(lines.name.len()..).unwrap_or_default();
        let start = |suffix: &str| [lines.name.as_bytes(), suffix.as_bytes(), labels].concat();
        let bucket = start("_bucket");
        for (bound, count) in histogram.buckets() {
            // OpenMetrics wants a point in every bound.
            let bound = if bound.is_finite() { format!("{bound:?}") } else { String::from("+Inf") };
            self.labels(&bucket, sample, Some(("le", LabelValue::Text(&bound))));
            push_number(&mut self.text, count);
            self.end_line()?;
        }
        self.labels(&start("_sum"), sample, None);
        write!(self.text, "{}", histogram.sum().as_secs_f64())?;
        self.end_line()?;
        self.labels(&start("_count"), sample, None);
        push_number(&mut self.text, histogram.count());
        self.end_line()
    }

    /// Prints the name and the labels of a line.
    fn labels(&mut self, start: &[u8], sample: &Sample<'_>, last: Option<Label<'_>>) {
        let text = &mut self.text;
        text.extend_from_slice(start);
        let mut separator = if start.ends_with(b"\"") { b',' } else { b'{' };
        if let Some(id) = sample.destination {
            for (name, value) in destination_labels(id) {
                push_label(text, &mut separator, name, value);
            }
        }
        for (name, value) in sample.more.iter().copied().chain(last) {
            push_label(text, &mut separator, name, value);
        }
        text.extend_from_slice(if separator == b',' { b"} " } else { b" " });
    }

    fn end_line(&mut self) -> io::Result<()> {
        self.text.push(b'\n');
        if self.text.len() >= CHUNK {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}

impl Lines {
    fn begin(&mut self, sample: &Sample<'_>) {
        self.of = sample.service;
        if self.netns.as_deref() != sample.netns {
            self.netns = sample.netns.map(str::to_owned);
        }
        self.start.clear();
        self.start.extend_from_slice(self.name.as_bytes());
        let mut separator = b'{';
        for (name, value) in sample.shared_labels() {
            push_label(&mut self.start, &mut separator, name, value);
        }
    }
}

fn push_label(text: &mut Vec<u8>, separator: &mut u8, name: &str, value: LabelValue<'_>) {
    if value.is_empty() {
        return;
    }
    text.push(*separator);
    *separator = b',';
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    match value {
        LabelValue::Text(value) => push_escaped(text, value),
        LabelValue::Number(number) => push_number(text, number),
        LabelValue::Address(IpAddr::V4(address)) => {
            let mut dot = false;
            for octet in address.octets() {
                if std::mem::replace(&mut dot, true) {
                    text.push(b'.');
                }
                push_number(text, octet.into());
            }
        }
        // None of these prints a character that must be escaped.
        LabelValue::Address(_) | LabelValue::Protocol(_) | LabelValue::Family(_) => {
            let _ = write!(text, "{value}");
        }
    }
    text.push(b'"');
}

fn push_escaped(text: &mut Vec<u8>, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'"' => text.extend_from_slice(b"\\\""),
            b'\n' => text.extend_from_slice(b"\\n"),
            _ => text.push(byte),
        }
    }
}

fn push_number(text: &mut Vec<u8>, number: u64) {
    let mut digits = [0; 20];
    let (mut rest, mut length) = (number, 0);
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        length += 1;
        if rest == 0 {
            break;
        }
    }
    text.extend_from_slice(digits.get(20 - length..).unwrap_or_default());
}
