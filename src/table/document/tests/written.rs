//! The text that is written.

use std::time::Duration;

use crate::model::{
    AddressFamily, Destination, DestinationId, Forwarding, Persistence, PersistenceEngine,
    Scheduler, Service, ServiceFlags, ServiceId, Setting, Settings, Timeouts, Tunnel,
    UnknownForwarding, UnknownTunnel,
};
use crate::table::{Labels, Network, Table, TableDestination, TableService};

fn server(last: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, last], 80).into())
}

fn example() -> Table {
    let web = Service::tcp("192.0.2.10:80".parse().unwrap())
        .scheduler(Scheduler::SOURCE_HASHING)
        .flags(ServiceFlags::SH_PORT | ServiceFlags::from_bits_retain(0x40))
        .one_packet()
        .persistent(Duration::from_secs(300));
    let odd = server(3).forwarding(Forwarding::Unknown(UnknownForwarding::new(5)));
    let tunnel = Tunnel::Unknown(UnknownTunnel::new(1, 6080, 4));
    let web = TableService::new(web)
        .with(TableDestination::of_any_weight(server(4).thresholds(9, 0)))
        .with(odd.thresholds(u32::MAX, 0).weight(0))
        .with(server(2).forwarding(Forwarding::Tunnel(tunnel)));
    let sip = Persistence::new(Duration::from_secs(5_184_000)).prefix(64);
    let mark = Service::fwmark(5, AddressFamily::Ipv6);
    let other = "IP_50 [2001:db8::1]:0".parse().unwrap();
    [
        TableService::new(mark.persistence(sip.engine(PersistenceEngine::SIP))),
        web,
        TableService::new(Service::new(other)),
    ]
    .into_iter()
    .collect()
}

const YAML: &str = r#"services:
- tcp: 192.0.2.10:80
  scheduler: sh
  flags:
  - ops
  - sh-port
  - "0x40"
  persistence: 5m
  destinations:
  - address: 10.0.0.2:80
    forward:
      tunnel: 1
      port: 6080
      flags: 4
    weight: 1
  - address: 10.0.0.3:80
    forward: 5
    weight: 0
    thresholds:
      upper: 4294967295
    unchecked: true
  - address: 10.0.0.4:80
    forward: masquerade
    thresholds:
      upper: 9
- service: IP_50 [2001:db8::1]:0
- fwmark: 5
  family: ipv6
  persistence:
    timeout: 60d
    prefix: 64
    engine: sip
  unchecked: true
"#;

const TOML: &str = r#"[[services]]
tcp = "192.0.2.10:80"
scheduler = "sh"
flags = ["ops", "sh-port", "0x40"]
persistence = "5m"

[[services.destinations]]
address = "10.0.0.2:80"
weight = 1

[services.destinations.forward]
tunnel = 1
port = 6080
flags = 4

[[services.destinations]]
address = "10.0.0.3:80"
forward = 5
weight = 0
unchecked = true

[services.destinations.thresholds]
upper = 4294967295

[[services.destinations]]
address = "10.0.0.4:80"
forward = "masquerade"

[services.destinations.thresholds]
upper = 9

[[services]]
service = "IP_50 [2001:db8::1]:0"

[[services]]
fwmark = 5
family = "ipv6"
unchecked = true

[services.persistence]
timeout = "60d"
prefix = 64
engine = "sip"
"#;

#[test]
fn what_is_default_is_left_out() {
    let table = example();
    assert_eq!(serde_saphyr::to_string(&table).unwrap(), YAML);
    assert_eq!(toml::to_string(&table).unwrap(), TOML);
    assert_eq!(serde_saphyr::from_str::<Table>(YAML).unwrap(), table);
}

#[test]
fn timeouts_and_settings_come_first() {
    let mut table: Table =
        [TableService::new(Service::fwmark(5, AddressFamily::Ipv4))].into_iter().collect();
    table.set_timeouts(Timeouts::default().tcp(Duration::from_secs(900)));
    let settings = Settings::new()
        .with(Setting::CONNTRACK, true)
        .with(Setting::EST_CPULIST, "0-3")
        .with(Setting::EST_NICE, -5)
        .with(Setting::SYNC_THRESHOLD, (3, 50));
    table.set_settings(settings);
    let yaml = "timeouts:\n  tcp: 15m\nsettings:\n  conntrack: 1\n  est_cpulist: 0-3\n  est_nice: -5\n  \
                sync_threshold:\n  - 3\n  - 50\nservices:\n- fwmark: 5\n";
    let toml = "[timeouts]\ntcp = \"15m\"\n\n[settings]\nconntrack = 1\nest_cpulist = \"0-3\"\nest_nice = \
                -5\nsync_threshold = [3, 50]\n\n[[services]]\nfwmark = 5\n";
    assert_eq!(serde_saphyr::to_string(&table).unwrap(), yaml);
    assert_eq!(toml::to_string(&table).unwrap(), toml);
    assert_eq!(serde_saphyr::from_str::<Table>(yaml).unwrap(), table);
    assert_eq!(toml::from_str::<Table>(toml).unwrap(), table);
    let other = r#"{"services": [{"fwmark": 5}], "timeouts": {"tcp": 900}, "settings": {"conntrack":
        true, "sync_threshold": "3 50", "est_nice": "-5", "est_cpulist": "0-3"}}"#;
    assert_eq!(serde_json::from_str::<Table>(other).unwrap(), table);
    table.set_settings(Settings::new().with(Setting::SYNC_PORTS, 3));
    let error = serde_json::to_string(&table).unwrap_err().to_string();
    assert_eq!(error, "setting sync_ports 3: must be a power of two, 1 to 64");
    table.set_settings(Settings::new());
    table.set_timeouts(Timeouts::default().udp(Duration::ZERO));
    assert!(serde_json::to_string(&table).is_err());
}

#[test]
fn labels_are_a_mapping() {
    let mut labels = Labels::new();
    labels.insert("team", "web").unwrap();
    labels.insert("tier", "1").unwrap();
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    let table: Table =
        [TableService::new(web).labelled(labels).with(server(2))].into_iter().collect();
    let yaml = "services:\n- tcp: 192.0.2.10:80\n  labels:\n    team: web\n    tier: \"1\"\n  \
                destinations:\n  - address: 10.0.0.2:80\n    forward: masquerade\n    weight: 1\n";
    let toml = "[[services]]\ntcp = \"192.0.2.10:80\"\n\n[services.labels]\nteam = \"web\"\ntier = \
                \"1\"\n\n[[services.destinations]]\naddress = \"10.0.0.2:80\"\nforward = \
                \"masquerade\"\nweight = 1\n";
    assert_eq!(serde_saphyr::to_string(&table).unwrap(), yaml);
    assert_eq!(toml::to_string(&table).unwrap(), toml);
    assert_eq!(toml::from_str::<Table>(toml).unwrap(), table);
    assert_eq!(serde_saphyr::from_str::<Table>(yaml).unwrap(), table);
}

#[test]
fn nothing_is_an_empty_list() {
    assert_eq!(serde_json::to_string(&Table::new()).unwrap(), r#"{"services":[]}"#);
    assert_eq!(serde_saphyr::to_string(&Table::new()).unwrap(), "services: []\n");
}

#[test]
fn what_no_kernel_reports_is_not_written() {
    let error = |service: Service| {
        let table: Table = [TableService::new(service)].into_iter().collect();
        serde_json::to_string(&table).unwrap_err().to_string()
    };
    let web = Service::tcp("192.0.2.10:80".parse().unwrap());
    assert_eq!(
        error(web.persistent(Duration::from_millis(1500))),
        "persistence timeout 1.5s: must be whole seconds"
    );
    assert_eq!(error(Service::fwmark(0, AddressFamily::Ipv4)), "fwmark 0: must not be 0");
    assert_eq!(
        error(Service::tcp("[fe80::1%3]:80".parse().unwrap())),
        "service address [fe80::1%3]:80: must not have a scope or flow label"
    );
}

#[test]
fn names_are_text() {
    fn check<T>(text: &str)
    where
        T: serde::Serialize + serde::de::DeserializeOwned,
    {
        let json = format!("{text:?}");
        let value: T = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_json::to_string(&value).unwrap(), json);
        assert!(serde_json::from_str::<T>("3").is_err());
        assert!(serde_json::from_str::<T>(r#""/""#).is_err());
    }
    check::<ServiceId>("TCP 192.0.2.10:80");
    check::<DestinationId>("10.0.0.2:8080");
    check::<Scheduler>("wrr");
    check::<PersistenceEngine>("sip");
    check::<ServiceFlags>("ops,flag-1");
    check::<Network>("10.0.0.0/8");
}

#[test]
fn timeouts_are_durations() {
    let timeouts: Timeouts = serde_json::from_str(r#"{"tcp": "15m", "udp": 90}"#).unwrap();
    let minutes = |minutes| Duration::from_secs(60_u64 * minutes);
    let expected = Timeouts::default().tcp(minutes(15)).udp(Duration::from_secs(90));
    assert_eq!(timeouts, expected);
    assert_eq!(serde_json::to_string(&timeouts).unwrap(), r#"{"tcp":"15m","udp":"1m30s"}"#);
    for text in [r#"{"tcp": null}"#, r#"{"icmp": 5}"#, "[]", r#"{"udp": "5"}"#] {
        assert!(serde_json::from_str::<Timeouts>(text).is_err(), "{text}");
    }
}
