//! What settings become.

use std::time::Duration;

use ipvs_netlink::health::WhenDead;
use ipvs_netlink::health::probe::{
    CommandAnswer, CommandCheck, DnsCheck, DnsType, Exchange, HttpCheck, Probe, ProbeKind,
    TlsOptions,
};
use ipvs_netlink::{
    AddressFamily, Destination, Forwarding, GueChecksum, Persistence, PersistenceEngine, Scheduler,
    Service, ServiceFlags, ServiceId, Timeouts, Tunnel,
};

use crate::configuration::{Checks, Configuration, ServiceConfiguration, to_yaml};
use crate::convert::quorum::{Quorum, of_weights};
use crate::convert::tests::{convert_text, remarks};

fn only(text: &str) -> ServiceConfiguration {
    let services = convert_text(text).configuration.services;
    assert_eq!(services.len(), 1);
    services.into_values().next().unwrap()
}

/// Returns the checks of the only server of a service with this in its block.
fn checks(checkers: &str) -> Checks {
    only(&format!(
        "virtual_server 192.0.2.1 80 {{\nprotocol TCP\ndelay_loop 6\n\
         real_server 10.0.0.2 8080 {{\n{checkers}\n}}\n}}\n"
    ))
    .checks
}

fn probe(checker: &str) -> Probe {
    let [(probe, _)] = checks(checker).checks.try_into().unwrap();
    probe
}

fn destinations(service: &ServiceConfiguration) -> Vec<Destination> {
    service.table.destinations().map(|it| it.destination().clone()).collect()
}

#[test]
fn a_service_is_what_keepalived_writes() {
    let web = only(
        "virtual_server 192.0.2.1 443 {
            lvs_sched mh
            mh-port
            mh-fallback
            lvs_method TUN type gue port 6080 remcsum
            protocol tcp
            persistence_timeout 50
            persistence_granularity 255.255.255.0
            persistence_engine sip
            weight 5
            sorry_server 10.0.0.9 443
            real_server 10.0.0.2 443 { weight 3 uthreshold 9 }
            real_server 10.0.0.3 8443 { lvs_method NAT
                uthreshold 9
                lthreshold 8
            }
            real_server 10.0.0.4 8443 { lvs_method DR }
            real_server 2001:db8::5 443 { lvs_method TUN }
        }",
    );
    let persistence = Persistence::new(Duration::from_secs(50))
        .netmask([255, 255, 255, 0].into())
        .engine(PersistenceEngine::SIP);
    let service = Service::tcp("192.0.2.1:443".parse().unwrap())
        .scheduler(Scheduler::MAGLEV_HASHING)
        .flags(ServiceFlags::MH_PORT | ServiceFlags::MH_FALLBACK)
        .persistence(persistence);
    assert_eq!(*web.table.service(), service);
    let gue = Forwarding::Tunnel(Tunnel::Gue { port: 6080, checksum: GueChecksum::RemoteOffload });
    let at = |address: &str, forwarding| {
        Destination::new(address.parse::<std::net::SocketAddr>().unwrap(), forwarding).weight(5)
    };
    assert_eq!(
        destinations(&web),
        [
            at("10.0.0.2:443", gue).weight(3),
            at("10.0.0.3:8443", Forwarding::Masquerade).thresholds(9, 8),
            // Without NAT the port is that of the service.
            at("10.0.0.4:443", Forwarding::DirectRoute),
            at("[2001:db8::5]:443", Forwarding::Tunnel(Tunnel::Ipip)),
        ]
    );
    assert_eq!(web.policy.sorry, Some(at("10.0.0.9:443", gue).weight(1)));
    assert!(!web.policy.keep_last && web.policy.when_dead == WhenDead::Delete);
    assert_eq!((web.checks, web.commands), (Checks::default(), None));
}

#[test]
fn what_is_not_said_is_as_in_keepalived() {
    let plain = only("virtual_server 192.0.2.1 53 {\nreal_server 10.0.0.2\nTCP_CHECK { }\n}\n");
    assert_eq!(*plain.table.service(), Service::udp("192.0.2.1:53".parse().unwrap()));
    let destination = Destination::masquerade("10.0.0.2:53".parse().unwrap());
    assert_eq!(destinations(&plain), [destination]);
    // Without a port it is persistent.
    let any = only("virtual_server 192.0.2.1 {\nprotocol TCP\nreal_server 10.0.0.2\n}\n");
    let persistence = any.table.service().persistence.unwrap();
    assert_eq!(persistence, Persistence::new(Duration::from_secs(360)));
    let bare = "virtual_server 192.0.2.1 80 {\npersistence_timeout\nreal_server 10.0.0.2\n}\n";
    assert_eq!(only(bare).table.service().persistence, Some(persistence));
}

#[test]
fn groups_are_services_of_each_member() {
    let services = convert_text(
        "virtual_server group G {
            protocol TCP
            real_server 10.0.0.2 8080 { }
            real_server 10.0.0.3 { lvs_method DR }
        }
        virtual_server_group G {
            192.0.2.1 80
            192.0.2.6-7 81
            192.0.2.255-192.0.3.0 82
            192.0.2.16/31 83
            fwmark 5
            fwmark 6 inet
        }
        virtual_server group H { ip_family inet6
            real_server 10.0.0.2 8080 { lvs_method TUN }
        }
        virtual_server_group H {
            2001:db8::9-b 80
            fwmark 7
        }",
    )
    .configuration
    .services;
    let tcp = |address: &str| ServiceId::tcp(address.parse().unwrap());
    let udp = |address: &str| ServiceId::udp(address.parse().unwrap());
    let mut expected = vec![
        tcp("192.0.2.1:80"),
        tcp("192.0.2.6:81"),
        tcp("192.0.2.7:81"),
        tcp("192.0.2.255:82"),
        tcp("192.0.3.0:82"),
        tcp("192.0.2.16:83"),
        tcp("192.0.2.17:83"),
        ServiceId::fwmark(5, AddressFamily::Ipv4),
        ServiceId::fwmark(6, AddressFamily::Ipv4),
        udp("[2001:db8::9]:80"),
        udp("[2001:db8::a]:80"),
        udp("[2001:db8::b]:80"),
        ServiceId::fwmark(7, AddressFamily::Ipv6),
    ];
    expected.sort();
    assert_eq!(services.keys().copied().collect::<Vec<_>>(), expected);
    let ports = |id| {
        let all = destinations(&services[&id]).into_iter();
        all.map(|it| it.id.address.port()).collect::<Vec<_>>()
    };
    assert_eq!(ports(tcp("192.0.2.6:81")), [8080, 81]);
    assert_eq!(ports(ServiceId::fwmark(5, AddressFamily::Ipv4)), [8080, 0]);
}

#[test]
fn firewall_marks_have_the_family_of_their_servers() {
    let mark = |servers: &str| {
        let text = format!("virtual_server fwmark 5 {{\n{servers}\n}}\n");
        convert_text(text).configuration.services.into_keys().next().unwrap().family()
    };
    let tunnel = "{ lvs_method TUN }";
    assert_eq!(mark("real_server 2001:db8::2"), AddressFamily::Ipv6);
    assert_eq!(mark("real_server 10.0.0.2"), AddressFamily::Ipv4);
    assert_eq!(mark(&format!("real_server 2001:db8::2 {tunnel}")), AddressFamily::Ipv6);
    let both = format!("real_server 2001:db8::2 {tunnel}\nreal_server 10.0.0.2 {tunnel}");
    assert_eq!(mark(&both), AddressFamily::Ipv4);
    assert_eq!(mark(&format!("ip_family inet6\n{both}")), AddressFamily::Ipv6);
}

#[test]
fn timers_become_a_pace() {
    let pace = |checker: &str| checks(checker).checks[0].1;
    let ms = |pace: ipvs_netlink::health::Pace| {
        let times = [pace.interval, pace.changing, pace.down].map(|time| time.as_millis());
        assert_eq!((pace.rise, pace.first_rise, pace.damping), (1, 1, None));
        (times, pace.fall)
    };
    let url = "url {\npath /\n}";
    for (checker, expected) in [
        ("TCP_CHECK { }".to_owned(), ([6000, 1000, 6000], 2)),
        (format!("HTTP_GET {{\n{url}\n}}"), ([6000, 3000, 6000], 2)),
        (format!("SSL_GET {{\n{url}\nretry 4\ndelay_loop 2\n}}"), ([2000, 3000, 3000], 5)),
        ("DNS_CHECK { }".to_owned(), ([6000, 6000, 6000], 4)),
        ("MISC_CHECK {\nmisc_path /x\n}".to_owned(), ([6000, 1000, 6000], 1)),
        ("delay_loop 1.5\nPING_CHECK { }\nretry 2".to_owned(), ([1500, 1000, 1500], 3)),
        ("UDP_CHECK {\ndelay_before_retry 0\nretry 0\n}".to_owned(), ([6000, 1, 6000], 1)),
        ("TCP_CHECK {\nretry 4294967295\n}".to_owned(), ([6000, 1000, 6000], u32::MAX)),
    ] {
        assert_eq!(ms(pace(&checker)), expected, "{checker}");
    }
    assert_eq!(probe("TCP_CHECK { }").timeout, Duration::from_secs(5));
    assert_eq!(probe("connect_timeout 0.25\nTCP_CHECK { }").timeout, Duration::from_millis(250));
    // Without misc_timeout a program may take until the next check.
    assert_eq!(probe("MISC_CHECK {\nmisc_path /x\n}").timeout, Duration::from_secs(6));
    assert_eq!(
        probe("MISC_CHECK {\nmisc_path /x\nmisc_timeout 3\n}").timeout,
        Duration::from_secs(3)
    );
}

#[test]
fn checkers_become_probes() {
    let five = |probe: Probe| probe.timeout(Duration::from_secs(5));
    let get = |path: &str| HttpCheck::get(path).unwrap();
    for (checker, expected) in
        [
            ("TCP_CHECK { connect_port 81 }".to_owned(), Probe::tcp().port(81)),
            ("PING_CHECK { connect_port 7 }".to_owned(), Probe::icmp()),
            ("SMTP_CHECK { }".to_owned(), Probe::tcp_exchange(Exchange::new("", "220"))),
            ("DNS_CHECK { }".to_owned(), Probe::dns(DnsCheck::new(".", DnsType::SOA).unwrap())),
            (
                "DNS_CHECK {\nname a.example\ntype AAAA\n}".to_owned(),
                Probe::dns(DnsCheck::new("a.example", DnsType::AAAA).unwrap()),
            ),
            (
                "UDP_CHECK {\npayload Ab12f 3\nrequire_reply 01 XX 0203\n}".to_owned(),
                Probe::udp(Exchange::new([0xab, 0x12, 0x0f, 0x03], [0x02, 0x03])),
            ),
            (
                "UDP_CHECK {\npayload 01\nrequire_reply\n}".to_owned(),
                Probe::udp(Exchange::new([1], [])),
            ),
            ("UDP_CHECK {\npayload 01\n}".to_owned(), Probe::udp_send(vec![1])),
            (
                "virtualhost w.example:81\nHTTP_GET {\nurl {\npath /a\nstatus_code 200 301-302\n\
             regex \"a b\"\nregex_options caseless dotall\n}\n}"
                    .to_owned(),
                Probe::http(
                    get("/a")
                        .host("w.example:81")
                        .unwrap()
                        .status(200..=200)
                        .unwrap()
                        .status(301..=302)
                        .unwrap()
                        .body_matches("(?is)a b")
                        .unwrap(),
                ),
            ),
            (
                "virtualhost w.example:81\nSSL_GET {\nenable_sni\nurl {\npath /\n}\n}".to_owned(),
                Probe::http(get("/").host("w.example:81").unwrap().tls(
                    TlsOptions::new().without_verification().server_name("w.example").unwrap(),
                )),
            ),
        ]
    {
        let mut expected = five(expected);
        if expected.port == Some(8080) {
            expected.port = None;
        }
        assert_eq!(probe(&checker), expected, "{checker}");
    }
    let origin = probe("TCP_CHECK {\nbindto 192.0.2.9\nbind_if eth0\nfwmark 3\n}").origin;
    assert_eq!(origin.source, Some([192, 0, 2, 9].into()));
    assert_eq!((origin.interface.as_deref(), origin.mark), (Some("eth0"), Some(3)));
}

#[test]
fn a_program_keeps_its_arguments() {
    let script = "MISC_CHECK {\nmisc_path \"/bin/x 'a b' \\\"c d\\\"\"\nmisc_dynamic\n}";
    let ProbeKind::Command(command) = probe(script).kind else { panic!("no command") };
    let expected = CommandCheck::new("/bin/x", ["a b", "c d"]).answer(CommandAnswer::WeightCode);
    assert_eq!(command, expected);
}

#[test]
fn each_url_and_host_is_a_check_and_different_servers_have_their_own() {
    let url = |path: &str| format!("url {{\npath {path}\n}}");
    let checker = format!("HTTP_GET {{\n{}\n{}\n}}\nTCP_CHECK {{ }}", url("/a"), url("/b"));
    assert_eq!(checks(&checker).checks.len(), 3);
    let service = only(
        "virtual_server 192.0.2.1 80 {
            real_server 10.0.0.2 80 { TCP_CHECK { } }
            real_server 10.0.0.3 80 { }
            real_server 10.0.0.4 81 { TCP_CHECK { } }
        }",
    );
    assert_eq!(service.checks.checks.len(), 1);
    let other: Vec<_> = service.checks_of.iter().map(|(id, it)| (id.to_string(), it)).collect();
    assert_eq!(other, [("10.0.0.3:80".to_owned(), &Checks::default())]);
}

#[test]
fn a_check_goes_to_the_port_that_the_real_server_is_given() {
    let service = only(
        "virtual_server 192.0.2.1 80 {\nlvs_method DR\nreal_server 10.0.0.2 8080 { TCP_CHECK { } }\n}",
    );
    assert_eq!(destinations(&service)[0].id.address.port(), 80);
    assert_eq!(service.checks.checks[0].0.port, Some(8080));
}

#[test]
fn quorums_count_destinations() {
    let quorum = |quorum, hysteresis, exact| Quorum { quorum, hysteresis, exact };
    for (weights, asked, hysteresis, expected) in [
        (vec![1; 10], 7, 2, quorum(7, 2, true)),
        (vec![10; 4], 20, 0, quorum(2, 0, true)),
        (vec![10; 4], 25, 10, quorum(3, 1, true)),
        (vec![10; 4], 20, 10, quorum(2, 1, true)),
        (vec![1, 1], 9, 0, quorum(2, 0, true)),
        (vec![1, 1], 1, 9, quorum(1, 0, true)),
        (vec![1, 2, 3], 3, 0, quorum(2, 0, false)),
        (vec![0, 0, 5], 1, 0, quorum(1, 0, true)),
        (vec![0], 1, 0, quorum(1, 0, false)),
        (vec![u32::MAX; 3], u32::MAX, u32::MAX, quorum(2, 0, false)),
    ] {
        assert_eq!(of_weights(&weights, asked, hysteresis), expected, "{weights:?} {asked}");
    }
}

#[test]
fn scripts_of_the_quorum_become_commands() {
    let text = "virtual_server 192.0.2.1 80 {\nquorum_up \"/bin/up 'a b'\"\nquorum_down /bin/down\n\
                inhibit_on_failure\nreal_server 10.0.0.2 80\n}";
    let service = only(text);
    let commands = service.commands.unwrap();
    assert_eq!(
        (commands.available, commands.unavailable),
        (vec!["/bin/up".to_owned(), "a b".to_owned()], vec!["/bin/down".to_owned()],)
    );
    assert_eq!(service.policy.when_dead, WhenDead::WeightZero);
}

#[test]
fn global_definitions_of_the_kernel_are_kept() {
    let text = "net_namespace blue\nglobal_defs {\nlvs_timeouts tcp 900 tcpfin 30 udp 20\n\
                lvs_sync_daemon eth0 id 3 maxlen 1400 port 8849 ttl 2 group 224.0.0.82\n}";
    let Configuration { namespace, timeouts, write_settings, synchronization, .. } =
        convert_text(text).configuration;
    assert_eq!(namespace, Some("/run/netns/blue".into()));
    let seconds = Duration::from_secs;
    let expected = Timeouts::default().tcp(seconds(900)).tcp_fin(seconds(30)).udp(seconds(20));
    assert_eq!((timeouts, write_settings), (expected, true));
    let daemons = synchronization.unwrap();
    assert_eq!((daemons.len(), daemons[1].sync_id, daemons[1].ttl), (2, 3, Some(2)));
}

#[test]
fn vrrp_is_told_once_with_its_addresses() {
    let text = "vrrp_instance VI_1 {\nstate MASTER\nvirtual_ipaddress {\n192.0.2.1/32 dev lo\n192.0.2.2\n}\n\
                virtual_ipaddress_excluded { 2001:db8::1 }\n}\n";
    let told = remarks(&convert_text(text));
    assert_eq!(
        told,
        [
            "1: vrrp_instance: left out: the director does no VRRP: let keepalived go on with it, or let \
         the commands of services announce the addresses (192.0.2.1/32, 192.0.2.2, 2001:db8::1)",
        ]
    );
}

#[test]
fn the_file_that_is_written_says_the_same() {
    let text = "global_defs {\nlvs_timeouts tcp 900\nlvs_sync_daemon lo id 3\n}
        virtual_server 192.0.2.1 443 { lvs_sched mh
            mh-port
            protocol TCP
            persistence_timeout 50
            quorum 2
            quorum_up \"/bin/true 'a b'\"
            sorry_server 10.0.0.9 443
            real_server 10.0.0.2 8443 { weight 3
                SSL_GET { enable_sni
                    virtualhost www.example.com
                    url { path /a
                        status_code 200 300-302
                        regex \"a: [0-9]+\"
                    }
                }
                UDP_CHECK { payload 00ff
                    require_reply 01
                }
            }
            real_server 10.0.0.3 8443 { MISC_CHECK { misc_path \"/bin/true x\" }
                DNS_CHECK { name a.example }
                SMTP_CHECK { }
                PING_CHECK { }
                UDP_CHECK { payload 01 }
            }
        }
        virtual_server fwmark 5 { lvs_method TUN type gre csum
            real_server 2001:db8::2 { TCP_CHECK { connect_port 80
                    bindto 2001:db8::9
                    fwmark 4
                } }
        }";
    let configuration = convert_text(text).configuration;
    assert_eq!(configuration.services.len(), 2);
    let folder = crate::convert::tests::Folder::new();
    let path = folder.with("director.yaml", to_yaml(&configuration).unwrap());
    let loaded = crate::configuration::load(&path, None).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.configuration, configuration);
}
