//! No keyword is lost: each is in the configuration or told.

use proptest::prelude::*;

use crate::configuration::{load, to_yaml};
use crate::convert::tests::{Folder, convert_text};
use crate::convert::{Conversion, Fate};

/// Where a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Root,
    Global,
    Virtual,
    Real,
    Tcp,
    Http,
    Url,
    Ssl,
    Smtp,
    Host,
    Dns,
    Misc,
    Udp,
    Ping,
    Vrrp,
}

use At::{
    Dns, Global, Host, Http, Misc, Ping, Real, Root, Smtp, Ssl, Tcp, Udp, Url, Virtual, Vrrp,
};

/// What is expected of a line that is alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Said,
    Told(Fate),
}

const SAID: Is = Is::Said;
const OUT: Is = Is::Told(Fate::LeftOut);
const CHANGED: Is = Is::Told(Fate::Changed);
const NEEDLESS: Is = Is::Told(Fate::NotNeeded);

const LINES: &[(At, &str, Is)] = &[
    (Root, "vrrp_script check { script /bin/true }", OUT),
    (Root, "vrrp_sync_group G { group { VI_1 } }", OUT),
    (Root, "static_ipaddress { 192.0.2.9/32 dev lo }", OUT),
    (Root, "static_routes { 192.0.2.0/24 dev lo }", OUT),
    (Root, "track_file f { file /tmp/f }", OUT),
    (Root, "bfd_instance b { neighbor_ip 192.0.2.3 }", OUT),
    (Root, "SSL { ca /etc/ca.pem }", OUT),
    (Root, "net_namespace blue", SAID),
    (Root, "net_namespace_ipvs green", OUT),
    (Root, "virtual_server_group unused { 192.0.2.77 80 }", NEEDLESS),
    (Root, "virtual_server 192.0.2.2 80 { protocol TCP }", OUT),
    (Root, "virtual_server fwmark 7 { real_server 10.0.0.7 80 { } }", SAID),
    (Root, "virtual_server group absent { real_server 10.0.0.7 80 { } }", OUT),
    (Root, "virtual_server www.example.com 80 { real_server 10.0.0.7 80 { } }", OUT),
    (Root, "nobody knows", OUT),
    (Root, "nobody { knows this }", OUT),
    (Root, "@host router_id x", OUT),
    (Root, "@^host virtual_server 192.0.2.3 80 { real_server 10.0.0.7 80 { } }", OUT),
    (Root, "include absent.conf", OUT),
    (Root, "include absent-*.conf", NEEDLESS),
    (Root, "~SEQ(i, 1, 0, 2) nothing", OUT),
    (Global, "router_id LVS", NEEDLESS),
    (Global, "notification_email { a@example.com }", OUT),
    (Global, "smtp_server 192.0.2.4", OUT),
    (Global, "lvs_timeouts tcp 900 udp 60", SAID),
    (Global, "lvs_timeouts tcp", OUT),
    (Global, "lvs_sync_daemon eth0 id 7 port 8849 ttl 2", SAID),
    (Global, "lvs_sync_daemon eth0 VI_1", CHANGED),
    (Global, "lvs_flush", OUT),
    (Global, "script_user nobody", OUT),
    (Global, "vrrp_strict", OUT),
    (Global, "enable_snmp_checker", OUT),
    (Global, "checker_no_swap", OUT),
    (Global, "nftables_ipvs", OUT),
    (Global, "unheard_of 1", OUT),
    (Vrrp, "virtual_ipaddress { 192.0.2.1/32 }", OUT),
    (Virtual, "lb_algo rr", SAID),
    (Virtual, "lvs_sched mh", SAID),
    (Virtual, "lvs_sched nosuch", OUT),
    (Virtual, "lb_kind DR", SAID),
    (Virtual, "lvs_method TUN type gue port 6080 csum", SAID),
    (Virtual, "lvs_method TUN type gue", OUT),
    (Virtual, "ops", NEEDLESS),
    (Virtual, "hashed", NEEDLESS),
    (Virtual, "flag-1", SAID),
    (Virtual, "flag-2", SAID),
    (Virtual, "flag-3", SAID),
    (Virtual, "sh-port", NEEDLESS),
    (Virtual, "sh-fallback", NEEDLESS),
    (Virtual, "mh-port", NEEDLESS),
    (Virtual, "mh-fallback", NEEDLESS),
    (Virtual, "protocol SCTP", SAID),
    (Virtual, "protocol ICMP", OUT),
    (Virtual, "ip_family inet", NEEDLESS),
    (Virtual, "persistence_timeout 50", SAID),
    (Virtual, "persistence_granularity 255.255.255.0", SAID),
    (Virtual, "persistence_granularity 64", OUT),
    (Virtual, "persistence_engine sip", NEEDLESS),
    (Virtual, "weight 7", SAID),
    (Virtual, "delay_loop 6", SAID),
    (Virtual, "delay_loop none", OUT),
    (Virtual, "delay_before_retry 2.5", SAID),
    (Virtual, "delay_before_retry 0.0001", CHANGED),
    (Virtual, "retry 4", SAID),
    (Virtual, "retry 0", OUT),
    (Virtual, "connect_timeout 2", SAID),
    (Virtual, "warmup 5", NEEDLESS),
    (Virtual, "alpha", NEEDLESS),
    (Virtual, "omega", OUT),
    (Virtual, "quorum 2", SAID),
    (Virtual, "quorum 100", NEEDLESS),
    (Virtual, "hysteresis 1", NEEDLESS),
    (Virtual, "quorum_up \"/bin/up one 'two three'\"", SAID),
    (Virtual, "quorum_down /bin/down", SAID),
    (Virtual, "quorum_down /bin/others nobody nogroup", CHANGED),
    (Virtual, "sorry_server 10.0.0.9 80", SAID),
    (Virtual, "sorry_server 2001:db8::9 80", OUT),
    (Virtual, "sorry_server_inhibit", NEEDLESS),
    (Virtual, "sorry_server_lvs_method DR", NEEDLESS),
    (Virtual, "inhibit_on_failure", SAID),
    (Virtual, "ha_suspend", OUT),
    (Virtual, "virtualhost www.example.com", SAID),
    (Virtual, "smtp_alert", OUT),
    (Virtual, "snmp_name web", OUT),
    (Virtual, "unheard_of", OUT),
    (Virtual, "@host alpha", OUT),
    (Virtual, "quorum 1 { retry 3 }", OUT),
    (Virtual, "real_server 10.0.0.77 80 { weight 5 }", SAID),
    (Virtual, "real_server 2001:db8::77 80 { weight 5 }", OUT),
    (Real, "weight 3", SAID),
    (Real, "weight many", OUT),
    (Real, "weight 4 5", NEEDLESS),
    (Real, "lvs_method TUN", SAID),
    (Real, "uthreshold 1000", SAID),
    (Real, "lthreshold 80", OUT),
    (Real, "inhibit_on_failure", CHANGED),
    (Real, "inhibit_on_failure no", NEEDLESS),
    (Real, "notify_up /bin/up", OUT),
    (Real, "notify_down /bin/down", OUT),
    (Real, "smtp_alert no", OUT),
    (Real, "snmp_name web1", OUT),
    (Real, "virtualhost real.example.com", SAID),
    (Real, "alpha", NEEDLESS),
    (Real, "alpha no", OUT),
    (Real, "delay_loop 7", SAID),
    (Real, "delay_before_retry 3", SAID),
    (Real, "retry 5", SAID),
    (Real, "connect_timeout 3", SAID),
    (Real, "warmup 0", NEEDLESS),
    (Real, "unheard_of", OUT),
    (Real, "BFD_CHECK { name b }", OUT),
    (Real, "FILE_CHECK { track_file f }", OUT),
    (Real, "MISC_CHECK { misc_timeout 3 }", OUT),
    (Real, "HTTP_GET { }", OUT),
    (Tcp, "connect_port 81", SAID),
    (Tcp, "connect_ip 10.0.0.2", NEEDLESS),
    (Tcp, "connect_ip 10.0.0.99", OUT),
    (Tcp, "bindto 192.0.2.200", SAID),
    (Tcp, "bindto 2001:db8::1", OUT),
    (Tcp, "bind_if eth0", SAID),
    (Tcp, "bind_port 1000", OUT),
    (Tcp, "fwmark 9", SAID),
    (Tcp, "fwmark 0", NEEDLESS),
    (Tcp, "connect_timeout 4", SAID),
    (Tcp, "retry 0", SAID),
    (Tcp, "delay_before_retry 4", SAID),
    (Tcp, "delay_loop 8", SAID),
    (Tcp, "warmup 1", NEEDLESS),
    (Tcp, "alpha", NEEDLESS),
    (Tcp, "log_all_failures", NEEDLESS),
    (Tcp, "unheard_of", OUT),
    (Http, "nb_get_retry 6", SAID),
    (Http, "virtualhost http.example.com", SAID),
    (Http, "virtualhost \"not a host\"", CHANGED),
    (Http, "http_protocol 1.0", CHANGED),
    (Http, "http_protocol 1.1", NEEDLESS),
    (Http, "http_protocol 3", OUT),
    (Http, "fast_recovery", NEEDLESS),
    (Http, "enable_sni", OUT),
    (Http, "connect_port 82", SAID),
    (Http, "url { path /two }", SAID),
    (Http, "url { status_code 200 }", OUT),
    (Url, "status_code 200 300-399", SAID),
    (Url, "status_code 2000", OUT),
    (Url, "digest 640205b7b0fc66c1ea91c463fac6334d", OUT),
    (Url, "virtualhost url.example.com", SAID),
    (Url, "regex \"ready: [0-9]+\"", SAID),
    (Url, "regex \"(?<=x)y\"", OUT),
    (Url, "regex_no_match", OUT),
    (Url, "regex_options caseless", NEEDLESS),
    (Url, "regex_options dupnames", OUT),
    (Url, "regex_min_offset 7", OUT),
    (Url, "regex_max_offset 9", OUT),
    (Url, "regex_stack 1 2", NEEDLESS),
    (Url, "unheard_of", OUT),
    (Ssl, "enable_sni", NEEDLESS),
    (Ssl, "enable_sni no", CHANGED),
    (Ssl, "sni_name sni.example.com", SAID),
    (Ssl, "tls_compliant", NEEDLESS),
    (Smtp, "helo_name foo", OUT),
    (Smtp, "connect_timeout 9", SAID),
    (Smtp, "host { connect_port 587 }", SAID),
    (Host, "connect_port 588", SAID),
    (Host, "retry 8", SAID),
    (Host, "connect_ip 10.0.0.98", OUT),
    (Dns, "name www.example.com", SAID),
    (Dns, "name a..b", CHANGED),
    (Dns, "type A", SAID),
    (Dns, "type PTR", OUT),
    (Misc, "misc_timeout 9", SAID),
    (Misc, "misc_dynamic", CHANGED),
    (Misc, "user nobody", OUT),
    (Misc, "connect_timeout 1", OUT),
    (Misc, "retry 2", SAID),
    (Udp, "payload 0a 0b", SAID),
    (Udp, "payload xyz", OUT),
    (Udp, "require_reply", SAID),
    (Udp, "require_reply 01 02 XX 03", CHANGED),
    (Udp, "min_reply_length 3", OUT),
    (Udp, "max_reply_length 9", OUT),
    (Ping, "retry 7", SAID),
    (Ping, "connect_timeout 8", SAID),
];

/// Writes a file of these lines. Each has a line of its own; the second value has their numbers.
fn file(lines: &[(At, &str)]) -> (String, Vec<u32>) {
    let mut text = String::new();
    let mut numbers = vec![0; lines.len()];
    let mut add = |text: &mut String, at: At| {
        for (index, (_, line)) in lines.iter().enumerate().filter(|(_, line)| line.0 == at) {
            numbers[index] = u32::try_from(text.lines().count() + 1).unwrap();
            text.push_str(line);
            text.push('\n');
        }
    };
    add(&mut text, Root);
    text.push_str("global_defs {\n");
    add(&mut text, Global);
    text.push_str("}\n");
    if lines.iter().any(|line| line.0 == Vrrp) {
        text.push_str("vrrp_instance VI_1 {\n");
        add(&mut text, Vrrp);
        text.push_str("}\n");
    }
    text.push_str("virtual_server 192.0.2.1 80 {\nprotocol TCP\n");
    add(&mut text, Virtual);
    text.push_str("real_server 10.0.0.2 8080 {\n");
    add(&mut text, Real);
    for (at, before, after) in [
        (Tcp, "TCP_CHECK {\n", "}\n"),
        (Http, "HTTP_GET {\n", ""),
        (Url, "url {\npath /\n", "}\n}\n"),
        (Ssl, "SSL_GET {\nurl {\npath /s\n}\n", "}\n"),
        (Smtp, "SMTP_CHECK {\n", ""),
        (Host, "host {\n", "}\n}\n"),
        (Dns, "DNS_CHECK {\n", "}\n"),
        (Misc, "MISC_CHECK {\nmisc_path /bin/true\n", "}\n"),
        (Udp, "UDP_CHECK {\n", "}\n"),
        (Ping, "PING_CHECK {\n", "}\n"),
    ] {
        text.push_str(before);
        add(&mut text, at);
        text.push_str(after);
    }
    text.push_str("}\nreal_server 10.0.0.3 8080 {\nTCP_CHECK {\n}\n}\n}\n");
    (text, numbers)
}

fn told(conversion: &Conversion, line: u32) -> Vec<Fate> {
    let all = conversion.remarks.list();
    all.filter(|remark| remark.place.line == line).map(|remark| remark.fate).collect()
}

/// Lines that may say the same.
fn meaning(line: &str) -> &str {
    match line.split(' ').next().unwrap() {
        "sh-fallback" | "mh-fallback" => "flag-1",
        "sh-port" | "mh-port" => "flag-2",
        "lb_kind" => "lvs_method",
        "persistence_granularity" => "persistence_timeout",
        keyword => keyword,
    }
}

/// Returns what of some lines is neither in the configuration nor told.
fn lost<'l>(lines: &[(At, &'l str)]) -> Vec<&'l str> {
    let (text, numbers) = file(lines);
    let conversion = convert_text(&text);
    let configuration = |lines: &[(At, &str)]| convert_text(file(lines).0).configuration;
    let mut lost = Vec::new();
    for ((at, line), number) in lines.iter().zip(numbers) {
        if told(&conversion, number).is_empty() {
            // Where several lines say the same, none of them alone makes a difference.
            let mut without = lines.to_vec();
            without.retain(|(_, other)| meaning(other) != meaning(line));
            let with = [without.clone(), vec![(*at, *line)]].concat();
            if configuration(&with) == configuration(&without) {
                lost.push(*line);
            }
        }
    }
    lost
}

#[test]
fn each_keyword_alone_is_said_or_told_as_expected() {
    let nothing = convert_text(file(&[]).0).configuration;
    let mut wrong = Vec::new();
    for (at, line, expected) in LINES {
        let (text, numbers) = file(&[(*at, line)]);
        let conversion = convert_text(&text);
        // That of an instance is told at its begin.
        let number = if *at == Vrrp { numbers[0] - 1 } else { numbers[0] };
        let told = told(&conversion, number);
        let is_said = told.is_empty() && conversion.configuration != nothing;
        let found =
            if is_said { Some(SAID) } else { told.iter().min().map(|fate| Is::Told(*fate)) };
        if found != Some(*expected) {
            wrong.push(format!("{at:?} {line}: {found:?} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn all_keywords_together_are_said_or_told() {
    let lines = LINES.iter().filter(|line| line.0 != Vrrp);
    let lines: Vec<_> = lines.map(|(at, line, _)| (*at, *line)).collect();
    assert_eq!(lost(&lines), Vec::<&str>::new());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_keyword_of_some_is_lost(
        chosen in prop::collection::vec(prop::sample::select(LINES), 1..12),
    ) {
        let lines = chosen.iter().filter(|line| line.0 != Vrrp);
        let lines: Vec<_> = lines.map(|(at, line, _)| (*at, *line)).collect();
        let configuration = convert_text(file(&lines).0).configuration;
        let folder = Folder::new();
        let path = folder.with("director.yaml", to_yaml(&configuration).unwrap());
        let loaded = load(&path, None);
        prop_assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
        prop_assert_eq!(lost(&lines), Vec::<&str>::new(), "{}", file(&lines).0);
    }
}
