use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipvs_netlink::health::probe::{AgentCheck, CommandCheck, Exchange, HttpCheck, Origin, Probe};
use ipvs_netlink::health::through::MarkRange;
use ipvs_netlink::health::{Combination, Damping, Pace, PoolPolicy, SlowStart, WhenDead};
use ipvs_netlink::table::{DrainPolicy, DrainUntil, TableService};
use ipvs_netlink::{
    Destination, Role, Scheduler, Service, Setting, Settings, SyncDaemon, Timeouts,
};
use proptest::prelude::*;

use super::super::{
    Checks, Commands, Configuration, Format, OnSign, PassiveSigns, ServiceConfiguration,
    SharedAddress, parse, to_yaml,
};
use super::read;

fn duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        (1_u64..100_000).prop_map(Duration::from_secs),
        (1_u64..5000).prop_map(Duration::from_millis)
    ]
}

/// Texts with what YAML gives a meaning to.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z/][a-z0-9./-]{0,12}",
        "[ -~]{1,12}",
        Just("true".to_owned()),
        Just("5".to_owned())
    ]
}

fn pace() -> impl Strategy<Value = Pace> {
    (
        duration(),
        duration(),
        duration(),
        1_u32..9,
        1_u32..9,
        prop::option::of((duration(), 0_u16..9)),
    )
        .prop_map(|(interval, changing, down, rise, fall, damping)| {
            let damping =
                damping.map(|(window, free)| Damping::new().window(window).free(free).most(7));
            Pace::new()
                .interval(interval)
                .changing(changing)
                .down(down)
                .rise(rise)
                .fall(fall)
                .damping(damping)
        })
}

fn probe() -> impl Strategy<Value = Probe> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..20);
    let kind = prop_oneof![
        Just(Probe::tcp()),
        Just(Probe::icmp()),
        (bytes(), bytes())
            .prop_map(|(send, expect)| Probe::tcp_exchange(Exchange::new(send, expect))),
        bytes().prop_map(Probe::udp_send),
        bytes().prop_map(|send| Probe::agent(AgentCheck::new().send(send))),
        (text(), prop::collection::vec(text(), 0..3))
            .prop_map(|(program, arguments)| Probe::command(CommandCheck::new(program, arguments))),
        "/[a-z0-9?=&]{0,9}".prop_map(|path| {
            Probe::http(HttpCheck::get(path).unwrap().header("X-A", "b: c").unwrap())
        }),
    ];
    (kind, (1_u64..80_000).prop_map(Duration::from_millis), prop::option::of(1_u16..)).prop_map(
        |(probe, timeout, port)| {
            let is_bare = matches!(
                probe.kind,
                ipvs_netlink::health::probe::ProbeKind::Icmp
                    | ipvs_netlink::health::probe::ProbeKind::Command(_)
            );
            let probe = probe.timeout(timeout);
            match port {
                Some(port) if !is_bare => {
                    probe.port(port).origin(Origin::new().mark(port.into()).interface("eth0"))
                }
                _ => probe,
            }
        },
    )
}

fn checks() -> impl Strategy<Value = Checks> {
    let combination =
        prop_oneof![Just(Combination::All), Just(Combination::Any), Just(Combination::AtLeast(1))];
    (prop::collection::vec((probe(), pace()), 0..3), combination)
        .prop_map(|(checks, combination)| Checks { checks, combination })
}

fn policy() -> impl Strategy<Value = PoolPolicy> {
    (1_u32..9, 0_u32..3, 0_u8..=100, any::<bool>(), prop::option::of(duration()), duration())
        .prop_map(|(quorum, hysteresis, panic, keep, slow, hold)| {
            let sorry = Destination::masquerade("10.9.0.1:80".parse().unwrap()).weight(3);
            PoolPolicy::new()
                .quorum(quorum)
                .hysteresis(hysteresis)
                .panic(panic)
                .keep_last(keep)
                .sorry(keep.then_some(sorry))
                .slow_start(slow.map(|time| SlowStart::new(time).steps(quorum + 1)))
                .when_dead(if keep { WhenDead::Delete } else { WhenDead::Auto })
                .hold(hold)
        })
}

fn commands() -> impl Strategy<Value = Commands> {
    let command = || prop::collection::vec(text(), 1..4);
    (command(), prop::option::of(command()), duration(), duration()).prop_map(
        |(available, unavailable, timeout, retry)| Commands {
            available,
            unavailable: unavailable.unwrap_or_default(),
            timeout: timeout.min(Duration::from_secs(86_400)),
            retry: retry.min(Duration::from_secs(86_400)),
            shared_address: SharedAddress::Ignore,
        },
    )
}

fn service() -> impl Strategy<Value = ServiceConfiguration> {
    let destinations =
        prop::collection::btree_map(any::<u8>(), (0_u32..9, prop::option::of(checks())), 0..5);
    let settings =
        (any::<u8>(), prop::sample::select(Scheduler::ALL), prop::option::of(1_u64..99_999));
    (settings, destinations, checks(), policy(), prop::option::of(commands())).prop_map(
        |((host, scheduler, persistence), destinations, checks, policy, commands)| {
            let address: SocketAddr = (Ipv4Addr::new(192, 0, 2, host), 80).into();
            let mut settings = Service::tcp(address).scheduler(scheduler);
            if let Some(seconds) = persistence {
                settings = settings.persistent(Duration::from_secs(seconds));
            }
            let mut table = TableService::new(settings);
            table.labels_mut().insert("host", &host.to_string()).unwrap();
            let mut checks_of = std::collections::BTreeMap::new();
            for (host, (weight, own)) in destinations {
                let destination =
                    Destination::masquerade((Ipv4Addr::new(10, 0, 0, host), 8080).into());
                let id = destination.id;
                table.insert(destination.weight(weight).thresholds(weight, weight / 2));
                if let Some(own) = own.filter(|own| *own != checks) {
                    checks_of.insert(id, own);
                }
            }
            ServiceConfiguration { table, checks, checks_of, policy, commands }
        },
    )
}

fn configuration() -> impl Strategy<Value = Configuration> {
    let drain = (duration(), prop::option::of(duration())).prop_map(|(quiet, deadline)| {
        DrainPolicy::new().until(DrainUntil::NoClients).quiet(quiet).deadline(deadline)
    });
    (
        prop::collection::vec(service(), 0..4),
        prop::option::of("/[a-z/]{1,9}"),
        prop::option::of(1_u64..9999),
        prop::option::of(drain),
        prop::option::of(1_u32..9),
        any::<bool>(),
    )
        .prop_map(|(services, namespace, timeout, drain, mark, synchronizes)| {
            let daemon = SyncDaemon::new(Role::Backup, "eth0".parse().unwrap()).sync_id(5).ttl(9);
            let mut timeouts = Timeouts::default();
            timeouts.udp = timeout.map(Duration::from_secs);
            Configuration {
                namespace: namespace.map(Into::into),
                timeouts,
                settings: match timeout {
                    Some(_) => Settings::new().with(Setting::SYNC_THRESHOLD, (3, 50)),
                    None => Settings::new(),
                },
                write_settings: synchronizes,
                synchronization: synchronizes.then(|| vec![daemon]),
                drain,
                resync: timeout.map(Duration::from_secs),
                passive_signs: match mark {
                    None => PassiveSigns::default(),
                    Some(mark) => PassiveSigns {
                        on_sign: [OnSign::Ignore, OnSign::Tell, OnSign::Check][mark as usize % 3],
                        interval: Duration::from_secs(4 + u64::from(mark)),
                        most_connections: mark.into(),
                    },
                },
                marks: mark.map(|mark| MarkRange::new(mark..=9).unwrap()),
                services: services
                    .into_iter()
                    .map(|service| (service.table.id(), service))
                    .collect(),
            }
        })
}

/// Texts of the keys and values of a configuration, put together at random.
fn near_text() -> impl Strategy<Value = String> {
    let pieces = [
        "services:",
        "\n",
        "\n  ",
        "\n- ",
        "- ",
        "tcp: ",
        "192.0.2.10:80",
        "destinations:",
        "address: ",
        "10.0.0.2:80",
        "weight: ",
        "5",
        "-1",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "checks: ",
        "pace: ",
        "interval: ",
        "policy: ",
        "sorry: ",
        "false",
        "defaults:",
        "&a ",
        "*a",
        "http: ",
        "\"",
        "'",
        "#",
        "ä",
        "|\n",
        ": ",
        "commands: ",
        "available: ",
        "[[services]]\n",
        "tcp = ",
        "= ",
        "forward: direct",
        "forward = 'direct'",
        "through: true",
        "marks: ",
        "? ",
        "\u{1b}",
        "port: ",
        "combination: ",
        "fwmark: 5",
        "drain: ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..60).prop_map(|all| all.concat())
}

/// Asserts that reading ends well, and that each problem is at a place of the text.
fn assert_places(bytes: &[u8]) {
    for format in [Format::Yaml, Format::Toml] {
        let problems = match parse(bytes, format, "f".as_ref()) {
            Ok(loaded) => loaded.warnings,
            Err(problems) => {
                assert!(!problems.is_empty());
                problems
            }
        };
        let text = String::from_utf8_lossy(bytes);
        let lines: Vec<&str> = text.split('\n').collect();
        for problem in &problems.first {
            let line = lines.get(problem.line.wrapping_sub(1));
            let line = line.unwrap_or_else(|| panic!("{problems}\n{text}"));
            assert!((1..=line.chars().count() + 1).contains(&problem.column), "{problems}\n{text}");
        }
        assert_eq!(
            problems.to_string().lines().count(),
            problems.first.len() + usize::from(problems.others > 0)
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn what_is_written_is_read_again(configuration in configuration()) {
        let written = to_yaml(&configuration).unwrap();
        let loaded = read(&written, Format::Yaml);
        let loaded = loaded.unwrap_or_else(|problems| panic!("{problems}\n{written}"));
        prop_assert_eq!(loaded.configuration, configuration, "{}", written);
    }

    #[test]
    fn any_bytes_are_read_or_refused_with_places(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_places(&bytes);
    }

    #[test]
    fn any_text_is_read_or_refused_with_places(text in near_text()) {
        assert_places(text.as_bytes());
    }

    /// Changes one piece of a valid text.
    #[test]
    fn a_text_that_is_nearly_valid_is_read_or_refused_with_places(
        at in any::<prop::sample::Index>(),
        length in 0_usize..12,
        with in near_text(),
    ) {
        let mut text = include_str!("../../../director.yaml").as_bytes().to_vec();
        let at = at.index(text.len());
        text.splice(at..(at + length).min(text.len()), with.bytes().take(20));
        assert_places(&text);
    }
}
