use std::io;

use super::{all, print, table};
use crate::metrics::{Format, Options, Scrape, Source};
use crate::model::{Info, ServiceEntry, ServiceSnapshot, Snapshot, Stats, Version};

#[test]
fn both_formats_have_their_headers_and_ends() {
    let snapshot = table();
    let scrape = Scrape::new(Source::new(&snapshot), Options::new());
    let text = print(&scrape, Format::Prometheus);
    assert!(text.contains("\n# TYPE ipvs_service_incoming_bytes_total counter\n"));
    assert!(text.contains("\n# HELP ipvs_service_incoming_bytes_total Bytes from clients"));
    assert!(!text.contains("# UNIT") && !text.contains("# EOF"));
    let text = print(&scrape, Format::OpenMetrics);
    let header =
        "\n# TYPE ipvs_service_incoming_bytes counter\n# UNIT ipvs_service_incoming_bytes bytes\n";
    assert!(text.contains(header), "{text}");
    assert!(text.contains("\nipvs_service_incoming_bytes_total{"));
    assert!(text.ends_with("\n# EOF\n"));
    assert!(!text.contains("\n\n"));
}

#[test]
fn hostile_text_stays_inside_its_label() {
    let netns = "a\"} 1\nevil 2\\";
    let snapshot = Snapshot::default();
    let info = Info { version: Version { major: 1, minor: 2, patch: 1 }, connection_table_size: 0 };
    let source = Source::new(&snapshot).netns(netns).info(info);
    let text = print(&Scrape::new(source, Options::new()), Format::Prometheus);
    let line = r#"ipvs_info{netns="a\"} 1\nevil 2\\",version="1.2.1"} 1"#;
    assert!(text.lines().any(|it| it == line), "{text}");
    assert!(text.lines().all(|it| it.starts_with('#') || it.starts_with("ipvs_")));
}

#[test]
fn an_odd_name_of_the_kernel_is_escaped() {
    let snapshot = Snapshot::from_iter(table().into_iter().take(1).map(|mut service| {
        let odd = crate::model::Scheduler::reported(b"\xff\"\n").unwrap();
        service.entry.service.scheduler = odd;
        service
    }));
    let text = super::printed(&snapshot, Options::new());
    assert!(text.contains(r#"scheduler="\\xff\\\"\\n"}"#), "{text}");
}

#[test]
fn a_chunk_ends_after_a_line_and_errors_are_passed_on() {
    #[derive(Default)]
    struct Chunks(Vec<Vec<u8>>);
    impl io::Write for Chunks {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.to_vec());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let services = (0..200_u8).flat_map(|a| (0..5_u8).map(move |b| [192, 0, a, b]));
    let snapshot = Snapshot::from_iter(services.map(|ip| {
        let service = crate::model::Service::tcp((ip, 80).into());
        ServiceSnapshot::new(ServiceEntry::new(service, Stats::default()), Vec::new())
    }));
    let scrape = Scrape::new(Source::new(&snapshot), all());
    let mut chunks = Chunks::default();
    scrape.write(Format::Prometheus, &mut chunks).unwrap();
    assert!(chunks.0.len() > 10);
    assert!(chunks.0.iter().all(|chunk| chunk.ends_with(b"\n") && chunk.len() < 40_000));
    assert_eq!(chunks.0.concat(), print(&scrape, Format::Prometheus).into_bytes());
    assert!(scrape.write(Format::Prometheus, &mut &mut [0_u8; 10][..]).is_err());
}
