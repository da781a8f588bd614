//! Prints samples in the text formats.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

use crate::metrics::families::{DestinationNumber, once_each};
use crate::metrics::sample::{Label, LabelValue, Sample, Value};
use crate::metrics::{Family, Histogram, Scrape};
use crate::model::{DestinationId, Protocol, ServiceId, ServiceSnapshot};

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
        let text = Vec::with_capacity(CHUNK + CHUNK / 4);
        let mut printer = Printer { format, out, text, port: RealPort::default() };
        for samples in self.families() {
            let family = samples.family();
            let mut lines = Lines::default();
            match samples.destination_number() {
                None => samples.try_for_each(|sample| {
                    printer.begin(&mut lines, family);
                    printer.sample(&mut lines, sample)
                })?,
                // The same lines with half the work: nearly all of a large table.
                Some(number) => {
                    for (service, sample) in self.services_with_destinations() {
                        printer.destinations(&mut lines, family, number, service, &sample)?;
                    }
                }
            }
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
    port: RealPort,
}

/// The end of the labels of a destination: `,real_port="8080"} `. Most lines have that of the line before.
#[derive(Default)]
struct RealPort {
    of: Option<u16>,
    text: Vec<u8>,
}

impl RealPort {
    fn text(&mut self, port: u16) -> &[u8] {
        if self.of != Some(port) {
            self.of = Some(port);
            self.text.clear();
            push_real_port(&mut self.text, port);
            self.text.extend_from_slice(b"} ");
        }
        &self.text
    }
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

    /// Begins a family, unless it has begun.
    fn begin(&mut self, lines: &mut Lines, family: &Family) {
        if lines.name.is_empty() {
            self.header(family);
            lines.name = [family.name, family.suffix()].concat();
        }
    }

    /// Prints a number of each destination of a service that has it.
    fn destinations(
        &mut self,
        lines: &mut Lines,
        family: &Family,
        number: DestinationNumber,
        service: &ServiceSnapshot,
        sample: &Sample<'_>,
    ) -> io::Result<()> {
        let mut begun = false;
        for entry in once_each(service) {
            let Some(number) = number(entry) else { continue };
            if !begun {
                begun = true;
                self.begin(lines, family);
                lines.begin(sample);
            }
            let address = entry.destination.id.address;
            self.text.extend_from_slice(&lines.start);
            push_real_address(&mut self.text, b',', address.ip());
            self.text.extend_from_slice(self.port.text(address.port()));
            push_number(&mut self.text, number);
            self.end_line()?;
        }
        Ok(())
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
            self.labels(&bucket, sample, Some(Label::text("le", &bound)));
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
            push_destination(text, separator, id);
            separator = b',';
        }
        for label in sample.more.iter().copied().chain(last) {
            push_label(text, &mut separator, label);
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
        for label in sample.shared_labels() {
            push_label(&mut self.start, &mut separator, label);
        }
    }
}

fn push_label(text: &mut Vec<u8>, separator: &mut u8, Label { name, value }: Label<'_>) {
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
        LabelValue::Address(address) => push_address(text, address),
        LabelValue::Protocol(Protocol::TCP) => text.extend_from_slice(b"TCP"),
        LabelValue::Protocol(Protocol::UDP) => text.extend_from_slice(b"UDP"),
        // None of these prints a character that must be escaped.
        LabelValue::Protocol(_) | LabelValue::Family(_) => {
            let _ = write!(text, "{value}");
        }
    }
    text.push(b'"');
}

/// Appends what [`destination_labels`](crate::metrics::sample::destination_labels) yields.
fn push_destination(text: &mut Vec<u8>, separator: u8, id: DestinationId) {
    push_real_address(text, separator, id.address.ip());
    push_real_port(text, id.address.port());
}

fn push_real_address(text: &mut Vec<u8>, separator: u8, address: IpAddr) {
    text.push(separator);
    text.extend_from_slice(b"real_address=\"");
    push_address(text, address);
    text.push(b'"');
}

fn push_real_port(text: &mut Vec<u8>, port: u16) {
    text.extend_from_slice(b",real_port=\"");
    push_number(text, port.into());
    text.push(b'"');
}

fn push_address(text: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => push_ipv4(text, address),
        IpAddr::V6(address) => {
            let _ = write!(text, "{address}");
        }
    }
}

/// Appends an IPv4 address: most of what a large table has in its lines. Copies of a fixed length are the
/// cheapest, so each octet is copied with its dot and what follows is overwritten.
fn push_ipv4(text: &mut Vec<u8>, address: Ipv4Addr) {
    let mut dotted = [0; 16];
    let mut end = 0_usize;
    for octet in address.octets() {
        let Some(Octet { digits, length }) = OCTETS.get(usize::from(octet)) else { continue };
        if let Some(room) = dotted.get_mut(end..).and_then(|rest| rest.first_chunk_mut()) {
            *room = *digits;
        }
        end += usize::from(*length);
    }
    text.extend_from_slice(dotted.get(..end.saturating_sub(1)).unwrap_or_default());
}

/// An octet in decimal digits.
#[derive(Clone, Copy)]
struct Octet {
    /// The digits, and a dot behind them.
    digits: [u8; 4],
    /// The number of digits, with the dot.
    length: u8,
}

#[allow(clippy::indexing_slicing, reason = "the compiler evaluates it")]
static OCTETS: [Octet; 256] = {
    let mut octets = [Octet { digits: *b"0...", length: 2 }; 256];
    let mut number = 1;
    while number < 256 {
        let [hundreds, tens, ones] = three_digits(number);
        octets[number as usize] = match number {
            0..10 => Octet { digits: [ones, b'.', b'.', b'.'], length: 2 },
            10..100 => Octet { digits: [tens, ones, b'.', b'.'], length: 3 },
            _ => Octet { digits: [hundreds, tens, ones, b'.'], length: 4 },
        };
        number += 1;
    }
    octets
};

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
    let Ok(short @ ..1000) = u16::try_from(number) else { return push_long(text, number) };
    let [hundreds, tens, ones] = three_digits(short);
    match short {
        0..10 => text.push(ones),
        10..100 => text.extend_from_slice(&[tens, ones]),
        _ => text.extend_from_slice(&[hundreds, tens, ones]),
    }
}

/// Appends a number of four digits or more.
fn push_long(text: &mut Vec<u8>, number: u64) {
    push_number(text, number / 1000);
    text.extend_from_slice(&three_digits(u16::try_from(number % 1000).unwrap_or_default()));
}

/// The last three digits of a number.
const fn three_digits(number: u16) -> [u8; 3] {
    const fn digit(number: u16) -> u8 {
        b'0' + (number % 10).to_le_bytes()[0]
    }
    [digit(number / 100), digit(number / 10), digit(number)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(push: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut text = Vec::new();
        push(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn numbers_print_as_display_prints_them() {
        let small = 0..=1100;
        let powers = (0..64).flat_map(|bit| [1 << bit, (1 << bit) - 1]);
        for number in small.chain(powers).chain([u64::MAX]) {
            assert_eq!(printed(|text| push_number(text, number)), number.to_string());
        }
    }

    #[test]
    fn the_labels_of_a_destination_are_those_of_its_sample() {
        for address in ["10.0.99.100:80", "255.9.200.1:0", "[2001:db8::a]:65535"] {
            let id = DestinationId::from(address.parse::<std::net::SocketAddr>().unwrap());
            let one_by_one = printed(|text| {
                let mut separator = b',';
                for label in crate::metrics::sample::destination_labels(id) {
                    push_label(text, &mut separator, label);
                }
            });
            assert_eq!(printed(|text| push_destination(text, b',', id)), one_by_one);
            let ip = id.address.ip();
            assert_eq!(printed(|text| push_address(text, ip)), ip.to_string());
        }
    }
}
