//! Random tables: each sample is printed once, and reads back as what it was.

use std::collections::HashSet;

use proptest::prelude::*;

use super::{all, print};
use crate::metrics::{Format, LabelValue, Names, Scrape, Source, Value};
use crate::model::{ServiceSnapshot, Snapshot, strategies};

/// Reads one line: its name, its labels without escapes, and its value.
fn parse(line: &str) -> (String, Vec<(String, String)>, String) {
    let end = line.find(['{', ' ']).unwrap();
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    while let Some(label) = rest.strip_prefix(['{', ',']) {
        let (name, text) = label.split_once("=\"").unwrap();
        let mut value = String::new();
        let mut characters = text.char_indices();
        rest = loop {
            let (at, character) = characters.next().unwrap();
            match character {
                '"' => break &text[at + 1..],
                '\\' => value.push(match characters.next().unwrap().1 {
                    'n' => '\n',
                    other => other,
                }),
                other => value.push(other),
            }
        };
        labels.push((name.to_owned(), value));
    }
    let rest = rest.strip_prefix('}').unwrap_or(rest);
    (name.to_owned(), labels, rest.strip_prefix(' ').unwrap().to_owned())
}

fn text(value: LabelValue<'_>) -> String {
    value.to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_printed_reads_back(
        services in prop::collection::vec(
            (
                strategies::service_entry(),
                prop::collection::vec(strategies::destination_entry(), 0..4),
            ),
            0..6,
        ),
        netns in prop::option::of("\\PC{0,8}|[\"\\\\\n,={}]{1,6}"),
        twice in any::<bool>(),
    ) {
        let snapshot = Snapshot::from_iter(services.into_iter().map(|(entry, mut destinations)| {
            if twice {
                destinations.extend(destinations.clone());
            }
            ServiceSnapshot::new(entry, destinations)
        }));
        let source = Source::new(&snapshot);
        let source = match &netns {
            Some(netns) => source.netns(netns),
            None => source,
        };
        let scrape = Scrape::new(source, all().names(Names::Both));
        let printed = print(&scrape, Format::OpenMetrics);
        let mut lines = printed.lines().filter(|line| !line.starts_with('#'));
        let mut seen = HashSet::new();
        for samples in scrape.families() {
            let family = samples.family();
            let mut samples_of = 0;
            samples.for_each(|sample| {
                samples_of += 1;
                let line = lines.next().unwrap();
                let (name, labels, value) = parse(line);
                assert_eq!(name, [family.name, family.suffix()].concat());
                let expected = sample.labels().map(|it| (it.name.to_owned(), text(it.value)));
                assert_eq!(labels, expected.collect::<Vec<_>>());
                let Value::Integer(number) = sample.value() else { panic!("{line}") };
                assert_eq!(value, number.to_string());
                let names: HashSet<_> = labels.iter().map(|(name, _)| name).collect();
                assert_eq!(names.len(), labels.len(), "a label twice: {line}");
                assert!(seen.insert((name, labels)), "a series twice: {line}");
            });
            assert_eq!(samples.is_empty(), samples_of == 0);
        }
        prop_assert_eq!(lines.next(), None);
    }
}
