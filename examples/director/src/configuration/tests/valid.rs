use std::time::Duration;

use ipvs_netlink::health::probe::{CommandCheck, HttpCheck, Probe};
use ipvs_netlink::health::{Combination, Pace};
use ipvs_netlink::{DestinationId, ServiceId};

use super::super::{
    Checks, Commands, Configuration, Format, OnSign, PassiveSigns, SharedAddress, to_yaml,
};
use super::{read, yaml};

const EXAMPLE: &str = include_str!("../../../director.yaml");

fn tcp(text: &str) -> ServiceId {
    ServiceId::tcp(text.parse().unwrap())
}

fn destination(text: &str) -> DestinationId {
    text.parse().unwrap()
}

#[test]
fn the_example_is_valid_and_is_read_again_as_it_is_written() {
    let example = yaml(EXAMPLE);
    assert_eq!(example.services.len(), 4);
    assert_eq!(example.namespace.as_deref(), Some("/run/netns/balancer".as_ref()));
    let written = to_yaml(&example).unwrap();
    assert_eq!(yaml(&written), example, "{written}");
}

#[test]
fn the_example_uses_every_key() {
    let example = yaml(EXAMPLE);
    let web = &example.services[&tcp("192.0.2.10:443")];
    assert_eq!(web.policy.quorum, 2);
    assert!(web.policy.sorry.is_some() && web.policy.slow_start.is_some());
    assert_eq!(web.checks_of.len(), 2);
    assert!(web.commands.is_some());
    assert_eq!(web.table.labels().get("team"), Some("web"));
    assert!(!example.settings.is_empty() && example.write_settings);
    let Configuration { namespace, timeouts, synchronization, drain, resync, marks, .. } = &example;
    assert!(namespace.is_some() && timeouts.udp.is_some() && drain.is_some());
    assert_eq!(synchronization.as_ref().map(Vec::len), Some(2));
    assert!(resync.is_some() && marks.is_some());
    assert_ne!(example.passive_signs, PassiveSigns::default());
}

#[test]
fn checks_of_an_inner_level_replace_those_of_an_outer_one_and_paces_are_merged() {
    let text = "
services:
- tcp: 192.0.2.10:80
  pace: {rise: 7, interval: 2s}
  destinations:
  - address: 10.0.0.2:80
  - {address: 10.0.0.3:80, pace: {fall: 9}}
  - {address: 10.0.0.4:80, checks: [icmp], combination: any}
  - {address: 10.0.0.5:80, checks: []}
- tcp: 192.0.2.11:80
  checks: [{icmp: {}, pace: {down: 8s}}]
  destinations: [{address: 10.0.0.2:80}]
- tcp: 192.0.2.12:80
  checks: []
  destinations: [{address: 10.0.0.2:80}]
defaults:
  forward: masquerade
  checks: [tcp, {http: {}, pace: {rise: 4}}]
  pace: {interval: 3s, damping: false}
";
    let configuration = yaml(text);
    let pace = |rise| Pace::new().interval(Duration::from_secs(2)).damping(None).rise(rise);
    let http = || Probe::http(HttpCheck::get("/").unwrap());
    let service = &configuration.services[&tcp("192.0.2.10:80")];
    assert_eq!(service.checks.checks, [(Probe::tcp(), pace(7)), (http(), pace(4))]);
    assert_eq!(service.checks.combination, Combination::All);
    let own = |id: &str| &service.checks_of[&destination(id)];
    assert_eq!(service.checks_of.len(), 3);
    assert_eq!(
        own("10.0.0.3:80").checks,
        [(Probe::tcp(), pace(7).fall(9)), (http(), pace(4).fall(9))]
    );
    assert_eq!(
        *own("10.0.0.4:80"),
        Checks { checks: vec![(Probe::icmp(), pace(7))], combination: Combination::Any }
    );
    assert_eq!(*own("10.0.0.5:80"), Checks::default());
    let second = &configuration.services[&tcp("192.0.2.11:80")];
    let slow =
        Pace::new().interval(Duration::from_secs(3)).damping(None).down(Duration::from_secs(8));
    assert_eq!(second.checks.checks, [(Probe::icmp(), slow)]);
    assert_eq!(configuration.services[&tcp("192.0.2.12:80")].checks, Checks::default());
}

#[test]
fn policies_and_commands_of_services_are_merged_over_those_of_the_defaults() {
    let text = "
defaults:
  forward: masquerade
  policy: {hysteresis: 1, sorry: {address: 10.0.0.9:80, forward: masquerade}, slow_start: {time: 30s}}
  commands: {available: [up, now], timeout: 2s, shared_address: all}
services:
- tcp: 192.0.2.10:80
  destinations: &two [{address: 10.0.0.2:80}, {address: 10.0.0.3:80}]
- tcp: 192.0.2.11:80
  policy: {panic: 50, sorry: false}
  commands: {unavailable: [down], timeout: 500ms}
  destinations: *two
- tcp: 192.0.2.12:80
  commands: false
  destinations: *two
";
    let configuration = yaml(text);
    let service = |id| &configuration.services[&tcp(id)];
    let first = service("192.0.2.10:80");
    assert!(first.policy.sorry.is_some());
    assert_eq!(
        first.commands,
        Some(Commands {
            available: vec!["up".to_owned(), "now".to_owned()],
            unavailable: vec![],
            timeout: Duration::from_secs(2),
            retry: Duration::from_secs(5),
            shared_address: SharedAddress::All,
        })
    );
    let second = service("192.0.2.11:80");
    assert_eq!((second.policy.hysteresis, second.policy.panic), (1, 50));
    assert_eq!(second.policy.sorry, None);
    assert_eq!(second.policy.slow_start, first.policy.slow_start);
    let commands = second.commands.as_ref().unwrap();
    assert_eq!((commands.available.len(), commands.unavailable.len()), (2, 1));
    assert_eq!(commands.timeout, Duration::from_millis(500));
    assert_eq!(service("192.0.2.12:80").commands, None);
}

#[test]
fn both_formats_say_the_same() {
    let toml = r#"
namespace = "/run/netns/blue"
resync = "90s"
timeouts = {tcp = "15m"}
settings = {conntrack = true, sync_threshold = [3, 0], tomorrow = "a"}
write_settings = true
synchronization = []
drain = false

[[services]]
tcp = "192.0.2.10:80"
policy.quorum = 2
checks = ["tcp", {command = {program = "true"}, timeout = 3}]
combination = 1
labels = {team = "web", tier = "1"}

[[services.destinations]]
address = "10.0.0.2:80"
weight = 0x10

[[services.destinations]]
address = "10.0.0.3"
[[services.destinations.checks]]
icmp = {}
[services.destinations.checks.pace]
rise = 9

[defaults]
forward = "masquerade"
port = 80
"#;
    let same = "
namespace: blue
resync: 90
timeouts: {tcp: 15m}
settings: {conntrack: 1, sync_threshold: [3, 0], tomorrow: a}
write_settings: true
synchronization: []
drain: false
services:
- tcp: 192.0.2.10:80
  policy: {quorum: 2}
  checks: [tcp, {command: {program: 'true'}, timeout: 3s}]
  combination: 1
  labels: {team: web, tier: '1'}
  destinations:
  - address: 10.0.0.2:80
    weight: 16
  - address: 10.0.0.3:80
    checks: [{icmp: {}, pace: {rise: 9}}]
defaults: {forward: masquerade}
";
    let loaded = read(toml, Format::Toml).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.configuration, yaml(same));
    let service = &loaded.configuration.services[&tcp("192.0.2.10:80")];
    assert_eq!(service.checks.combination, Combination::AtLeast(1));
    assert_eq!(
        service.checks.checks[1].0.kind,
        Probe::command(CommandCheck::new("true", [""; 0])).kind
    );
}

#[test]
fn passive_signs_are_told_unless_the_file_says_otherwise() {
    let of = |text: &str| yaml(&format!("{text}\nservices: []")).passive_signs;
    assert_eq!(of(""), PassiveSigns::default());
    assert_eq!(of("passive_signs: tell"), PassiveSigns::default());
    let check = PassiveSigns { on_sign: OnSign::Check, ..PassiveSigns::default() };
    assert_eq!(of("passive_signs: check"), check);
    assert_eq!(of("passive_signs: {on_sign: check}"), check);
    assert_eq!(of("passive_signs: false").on_sign, OnSign::Ignore);
    let some = of("passive_signs: {on_sign: false, interval: 1m, most_connections: 0}");
    let interval = Duration::from_secs(60);
    let expected = PassiveSigns { on_sign: OnSign::Ignore, interval, most_connections: 0 };
    assert_eq!(some, expected);
}

#[test]
fn json_is_yaml() {
    let json = r#"{"services": [{"tcp": "192.0.2.10:80", "destinations":
        [{"address": "10.0.0.2:80", "forward": "masquerade", "weight": 3}]}]}"#;
    assert_eq!(yaml(json).services.len(), 1);
}

#[test]
fn certificates_are_read_from_files_beside_the_configuration() {
    let folder = std::env::temp_dir().join(format!("director-certificates-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let text =
        "services: [{tcp: 192.0.2.10:443, checks: [{http: {tls: {authorities_file: ca.pem}}}]}]";
    let read = || super::parse(text.as_bytes(), Format::Yaml, &folder.join("director.yaml"));
    let missing = read().unwrap_err().to_string();
    assert!(missing.contains(":1:75: the file cannot be read: No such file"), "{missing}");
    std::fs::write(folder.join("ca.pem"), "no certificate").unwrap();
    let wrong = read().unwrap_err().to_string();
    assert!(wrong.contains(":1:75: authorities"), "{wrong}");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn warnings_have_places_and_are_no_errors() {
    let text = "
services:
- tcp: 192.0.2.10:80
  policy: {quorum: 3}
  destinations:
  - {address: 10.0.0.2:80, forward: masquerade}
  - {address: 10.0.0.3:81, forward: direct}
";
    let loaded = read(text, Format::Yaml).unwrap();
    let warnings = loaded.warnings.with_kind("warning: ").to_string();
    let [first, second] = &warnings.lines().collect::<Vec<_>>()[..] else { panic!("{warnings}") };
    assert!(
        first.starts_with("f:4:11: warning: service TCP 192.0.2.10:80 is never available: 3 live")
    );
    assert!(
        second.starts_with("f:7:5: warning: TCP 192.0.2.10:80 -> 10.0.0.3:81: the port"),
        "{second}"
    );
}
