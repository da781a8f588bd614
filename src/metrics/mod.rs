//! Turns what was read into samples: names, labels, types, units and values for a monitoring system.
//!
//! A [`Scrape`] takes a snapshot, or one of each network namespace, as a [`Source`] with what else was read.
//! [`Scrape::write`] prints its samples in the text format of Prometheus or of OpenMetrics;
//! [`Scrape::families`] yields them to other encoders. With the feature `prometheus`, `Collector` puts them
//! into a registry of the crate `prometheus_client`. A scrape reads nothing itself.
//!
//! ```no_run
//! use std::io;
//! use ipvs_netlink::Client;
//! use ipvs_netlink::metrics::{Destinations, Format, Options, Scrape, Source};
//!
//! let mut ipvs = Client::connect()?;
//! let (snapshot, info) = (ipvs.snapshot()?, ipvs.info()?);
//! let totals = ipvs.procfs()?.totals()?;
//! let source = Source::new(&snapshot).info(info).totals(totals);
//! let options = Options::new().destinations(Destinations::ALL).at_most_destinations(2000);
//! Scrape::new(source, options).write(Format::Prometheus, io::stdout().lock())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Families
//!
//! `S` stands for the labels of a service: `protocol`, `address` and `port`, or `fwmark` and `family`. `D` is
//! `S` with `real_address` and `real_port`. A label that does not apply is left out, which means the same to
//! monitoring systems as an empty one.
//!
//! | family | type | labels | appears with |
//! | --- | --- | --- | --- |
//! | `ipvs_scrape_success`, `ipvs_scrape_duration_seconds` | gauge | | [`Source::scraped`] |
//! | `ipvs_table_complete`, `ipvs_services`, `ipvs_destinations` | gauge | | a snapshot |
//! | `ipvs_info`, `ipvs_connection_table_size` | gauge | `version` | [`Source::info`] |
//! | `ipvs_estimation_enabled` | gauge | | [`Source::estimation_enabled`] |
//! | `ipvs_timeout_seconds` | gauge | `kind` | [`Source::timeouts`] |
//! | `ipvs_connections_total`, `ipvs_{incoming,outgoing}_{packets,bytes}_total` | counter | | [`Source::totals`] |
//! | `ipvs_service_info` | gauge | S, `scheduler`, `flags`, `persistence_engine` | a snapshot |
//! | `ipvs_service_persistence_timeout_seconds` | gauge | S | a snapshot; persistent services only |
//! | `ipvs_service_destinations` | gauge | S, `state`: `active`, `drained`, `overloaded` | a snapshot |
//! | `ipvs_service_connections_total`, `ipvs_service_{incoming,outgoing}_{packets,bytes}_total` | counter | S | a snapshot |
//! | `ipvs_destination_info` | gauge | D, `forward`, `tunnel` | [`Destinations::info`] |
//! | `ipvs_destination_weight` | gauge | D | [`Destinations::weight`] |
//! | `ipvs_destination_{upper,lower}_threshold` | gauge | D | [`Destinations::thresholds`], where they are set |
//! | `ipvs_destination_{active,inactive,persistent}_connections` | gauge | D | [`Destinations::connections`] |
//! | `ipvs_destination_connections_total`, `ipvs_destination_{incoming,outgoing}_{packets,bytes}_total` | counter | D | [`Destinations::traffic`] |
//! | `ipvs_omitted_services`, `ipvs_omitted_destinations` | gauge | | a limit of [`Options`] that is exceeded |
//! | `ipvs_health_check_up` | gauge | D | [`Source::health`] and [`Destinations::health`] |
//! | `ipvs_health_checks_total` | counter | D, `result` | [`Source::health`] and [`Destinations::health`] |
//! | `ipvs_health_passive_sign` | gauge | D, `kind`: `half_open`, `no_answers`; only while there is the sign | [`Destinations::health`], [`Source::health`] |
//! | `ipvs_health_panic` | gauge | S | [`Source::health`] |
//! | `ipvs_health_check_duration_seconds` | histogram | `check` | [`Source::health`] |
//! | `ipvs_apply_operations_total` | counter | `operation`, `result` | [`Source::apply`] |
//! | `ipvs_apply_last_success_timestamp_seconds` | gauge | | [`Source::apply`] |
//!
//! All samples of a source with [`Source::netns`] have the label `netns`, and all samples of a service have the
//! labels of [`Source::labels`].
//!
//! - **Counters stand still for up to two seconds**, and for ever while the sysctl
//!   `net.ipv4.vs.run_estimation` is 0 or `net.ipv4.vs.est_cpulist` is empty. Export that as
//!   `ipvs_estimation_enabled`, and scrape no more often than every two seconds. There are no rates: `rate()`
//!   of the monitoring system takes them from the counters.
//! - **Resets**: a counter begins at 0 again when its object is deleted and made again or zeroed, which
//!   `rate()` knows to handle. A destination that is added again within 120 s goes on from its former value.
//!   The module [`growth`](crate::growth) says more.
//! - **Large tables**: each family of destinations is a line for each destination in every scrape; 5,000
//!   destinations with [`Destinations::ALL`] are 60,000 lines, and 80,000 with health checks. They are off by default. Choose the families,
//!   and set [`Options::at_most_destinations`].
//! - The kernel does not show whether a destination between its thresholds is overloaded. `overloaded` counts
//!   those at or over the upper threshold.
//!
//! # node_exporter's names
//!
//! With [`Names::NodeExporter`], the samples have the names and labels of the collector `ipvs` of node_exporter,
//! so that dashboards and alerts go on working: `node_ipvs_connections_total`,
//! `node_ipvs_{incoming,outgoing}_{packets,bytes}_total` and
//! `node_ipvs_backend_{connections_active,connections_inactive,weight}` with `local_address`, `local_port`,
//! `remote_address`, `remote_port`, `proto` and `local_mark`. A test holds them against node_exporter 1.5.0 on
//! the same kernel: TCP, UDP, IPv6, persistence, firewall marks and weights of 0 are equal, line by line. In
//! these cases node_exporter is wrong, and the samples differ:
//!
//! - It does not know SCTP services, and counts their destinations under the service in the line before.
//! - The same for services of other protocols, such as `IP_50`.
//!
//! Beside these names, the samples about the reading itself keep their own: `ipvs_scrape_success`,
//! `ipvs_scrape_duration_seconds`, `ipvs_table_complete` and `ipvs_omitted_destinations`. Without them, a
//! table that could not be read would look like an empty one.
//!
//! As in node_exporter, services of the same firewall mark in both families are one series, because its labels
//! do not tell them apart, and services without destinations do not appear.

mod counts;
mod families;
mod family;
mod labels;
mod options;
#[cfg(feature = "prometheus")]
mod prometheus;
mod sample;
mod scrape;
#[cfg(test)]
mod tests;
mod text;

pub use counts::{ApplyCounts, CheckResult, HealthCounts, Histogram};
pub use family::{Family, Kind, Unit};
pub use labels::ServiceLabels;
pub use options::{Destinations, Names, Options};
#[cfg(feature = "prometheus")]
#[cfg_attr(docsrs, doc(cfg(feature = "prometheus")))]
pub use prometheus::Collector;
pub use sample::{Label, LabelValue, Sample, Value};
pub use scrape::{FamilySamples, Scrape, Source};
pub use text::Format;
