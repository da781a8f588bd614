//! Single checks on a real kernel: namespaces, marks, interfaces, refusals by ICMP.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::health::Outcome;
use ipvs_netlink::health::probe::{CommandCheck, Exchange, Origin, Probe};
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, recvfrom, sendto, socket,
};

use crate::namespace::{fresh, ip};

fn own_namespace() -> String {
    std::fs::read_link("/proc/thread-self/ns/net").unwrap().display().to_string()
}

fn check(probe: &Probe, target: SocketAddr) -> Result<(), String> {
    match probe.once(target).unwrap() {
        Outcome::Passed(_) => Ok(()),
        Outcome::Failed(reason) | Outcome::NotDone(reason) => Err(reason),
        other => panic!("{other:?}"),
    }
}

/// Runs `work` on another thread in a network namespace without any route, and gives it the path of
/// this thread's namespace.
fn elsewhere(work: impl FnOnce(&str) + Send) {
    let path = format!("/proc/self/task/{}/ns/net", rustix::thread::gettid());
    let work = || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let before = own_namespace();
        work(&path);
        assert_eq!(own_namespace(), before, "the caller's thread stays where it is");
    };
    thread::scope(|scope| scope.spawn(work).join()).unwrap();
}

#[test]
fn a_check_comes_from_the_namespace_that_is_asked_for() {
    let _ipvs = fresh();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    elsewhere(|path| {
        let there = Origin::new().namespace(path);
        assert!(check(&Probe::tcp(), target).is_err(), "nobody listens here");
        assert_eq!(check(&Probe::tcp().origin(there.clone()), target), Ok(()));
        let link = std::fs::read_link(path).unwrap().display().to_string();
        let is_there = format!("test $(readlink /proc/self/ns/net) = '{link}'");
        let command = Probe::command(CommandCheck::new("sh", ["-c", &is_there]));
        assert!(check(&command, target).is_err());
        assert_eq!(check(&command.origin(there), target), Ok(()));
        for (path, reason) in [
            ("/run/netns/nosuch", "No such file"),
            ("/dev/null", "no network namespace"),
            ("/proc/self/ns/uts", "no network namespace"),
        ] {
            let origin = Origin::new().namespace(path);
            let message = check(&Probe::tcp().origin(origin.clone()), target).unwrap_err();
            assert!(message.contains(path) && message.contains(reason), "{message}");
            let command = Probe::command(CommandCheck::new("true", [""; 0])).origin(origin);
            let message = check(&command, target).unwrap_err();
            assert!(message.contains(path) && message.contains(reason), "{message}");
        }
    });
}

#[test]
fn a_mark_and_an_interface_choose_the_way() {
    let _ipvs = fresh();
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = server.local_addr().unwrap();
    let with = |origin| check(&Probe::tcp().origin(origin), target);
    assert_eq!(with(Origin::new().interface("lo").mark(5)), Ok(()));
    assert!(with(Origin::new().interface("nosuch")).unwrap_err().contains("No such device"));
    // The rule for local addresses comes first, unless one comes before it.
    ip("rule add pref 2 lookup local");
    ip("rule add pref 1 fwmark 7 prohibit");
    ip("rule del pref 0");
    assert!(with(Origin::new().mark(7)).is_err());
    assert_eq!(with(Origin::new().mark(6)), Ok(()));
}

fn sysctl(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/{name}"), value).unwrap();
}

/// Lets everybody open ping sockets, or nobody, as it is in a fresh namespace.
fn ping_sockets(allowed: bool) {
    sysctl("ipv4/ping_group_range", if allowed { "0 2147483647" } else { "1 0" });
}

#[test]
fn an_echo_request_is_answered_on_both_kinds_of_socket() {
    let _ipvs = fresh();
    for allowed in [false, true] {
        ping_sockets(allowed);
        for target in ["127.0.0.1:80", "127.0.0.9:0", "[::1]:80"] {
            let target = target.parse().unwrap();
            assert_eq!(check(&Probe::icmp(), target), Ok(()), "{target}, {allowed}");
        }
        let from = Probe::icmp().origin(Origin::new().source([127, 0, 0, 2].into()).mark(3));
        assert_eq!(check(&from, "127.0.0.1:0".parse().unwrap()), Ok(()));
    }
}

/// Answers echo requests with replies that have two words of the payload in the wrong order, which
/// does not change the checksum.
#[test]
fn the_reply_to_another_request_does_not_count() {
    let _ipvs = fresh();
    sysctl("ipv4/icmp_echo_ignore_all", "1");
    let protocol = SockProtocol::Icmp;
    let raw =
        socket(AddressFamily::Inet, SockType::Raw, SockFlag::SOCK_NONBLOCK, protocol).unwrap();
    let (stop, stopped) = channel::<()>();
    let (spoil, spoils) = channel();
    let answering = thread::spawn(move || {
        let (mut spoiled, mut answered) = (true, 0);
        let mut datagram = [0; 256];
        while stopped.try_recv().is_err() {
            spoiled = spoils.try_recv().unwrap_or(spoiled);
            let Ok((length, _)) = recvfrom::<SockaddrIn>(raw.as_raw_fd(), &mut datagram) else {
                thread::sleep(Duration::from_millis(1));
                continue;
            };
            let message = &mut datagram[20..length];
            if message[0] != 8 {
                continue;
            }
            message[0] = 0;
            let sum = u16::from_be_bytes([message[2], message[3]]);
            let (sum, over) = sum.overflowing_add(0x0800);
            message[2..4].copy_from_slice(&(sum + u16::from(over)).to_be_bytes());
            if spoiled {
                let words: [u8; 4] = message[12..16].try_into().unwrap();
                message[12..16].copy_from_slice(&[words[2], words[3], words[0], words[1]]);
            }
            let to = SockaddrIn::new(127, 0, 0, 1, 0);
            sendto(raw.as_raw_fd(), message, &to, MsgFlags::empty()).unwrap();
            answered += 1;
        }
        answered
    });
    let target = "127.0.0.1:0".parse().unwrap();
    for allowed in [false, true] {
        ping_sockets(allowed);
        spoil.send(true).unwrap();
        let short = Probe::icmp().timeout(Duration::from_millis(300));
        assert_eq!(check(&short, target).unwrap_err(), "timeout after 300 ms");
        spoil.send(false).unwrap();
        assert_eq!(check(&Probe::icmp(), target), Ok(()), "the replies are right otherwise");
    }
    stop.send(()).unwrap();
    assert!(answering.join().unwrap() >= 4);
}

#[test]
fn an_unreachable_host_is_noticed_and_named() {
    let _ipvs = fresh();
    let (ready, is_ready) = channel();
    let (end, ended) = channel::<()>();
    let router = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        ready.send(rustix::thread::gettid().as_raw_nonzero().to_string()).unwrap();
        // The link comes from the other side.
        while ended.try_recv().is_err() {
            if std::fs::metadata("/proc/thread-self/net/dev_snmp6/there").is_ok() {
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        for command in [
            "address add 10.9.0.2/24 dev there",
            "address add fd00::2/64 dev there nodad",
            "link set there up",
            "route add unreachable 192.0.2.0/24",
            "route add prohibit 198.51.100.0/24",
            "route add unreachable 2001:db8:1::/64 metric 5",
        ] {
            ip(command);
        }
        sysctl("ipv4/ip_forward", "1");
        sysctl("ipv6/conf/all/forwarding", "1");
        sysctl("ipv6/icmp/ratelimit", "0");
        ready.send(String::new()).unwrap();
        let _ = ended.recv();
    });
    let thread = is_ready.recv().unwrap();
    for command in [
        &format!("link add here type veth peer name there netns {thread}"),
        "address add 10.9.0.1/24 dev here",
        "address add fd00::1/64 dev here nodad",
        "link set here up",
        "route add 192.0.2.0/24 via 10.9.0.2",
        "route add 198.51.100.0/24 via 10.9.0.2",
        "route add 2001:db8:1::/64 via fd00::2",
    ] {
        ip(command);
    }
    is_ready.recv().unwrap();
    sysctl("ipv4/neigh/here/retrans_time_ms", "100");
    sysctl("ipv6/neigh/here/retrans_time_ms", "100");
    let udp = || Probe::udp(Exchange::new("?", ""));
    let long = Duration::from_secs(30);
    let mut source = 2;
    for allowed in [false, true] {
        ping_sockets(allowed);
        for (probe, target, expected) in [
            // Nobody has the address: the kernel itself says so after a while.
            (Probe::icmp(), "10.9.0.77:0", "host unreachable"),
            (Probe::icmp(), "[fd00::77]:0", "host unreachable"),
            (udp(), "10.9.0.78:53", "host unreachable"),
            (udp(), "[fd00::78]:53", "host unreachable"),
            (Probe::icmp(), "192.0.2.1:0", "host unreachable"),
            (Probe::icmp(), "198.51.100.1:0", "host unreachable"),
            (Probe::icmp(), "[2001:db8:1::1]:0", "network unreachable"),
            (udp(), "192.0.2.1:53", "host unreachable"),
            (udp(), "[2001:db8:1::1]:53", "network unreachable"),
            (udp(), "10.9.0.2:53", "port unreachable"),
            (udp(), "[fd00::2]:53", "port unreachable"),
            (Probe::udp_send(b"?".into()), "[fd00::2]:53", "port unreachable"),
        ] {
            // A router tells each address few times a second.
            source += 1;
            let target: SocketAddr = target.parse().unwrap();
            let mut probe = probe.timeout(long);
            if target.is_ipv4() {
                ip(&format!("address add 10.9.0.{source}/24 dev here"));
                probe.origin = Origin::new().source([10, 9, 0, source].into());
            }
            let begin = Instant::now();
            let message = check(&probe, target).unwrap_err();
            assert!(message.starts_with(expected), "{target}, {allowed}: {message}");
            assert!(begin.elapsed() < long / 2, "the refusal ends the check");
        }
    }
    assert_eq!(check(&Probe::icmp(), "10.9.0.2:0".parse().unwrap()), Ok(()));
    assert_eq!(check(&Probe::icmp(), "[fd00::2]:0".parse().unwrap()), Ok(()));
    end.send(()).unwrap();
    router.join().unwrap();
}

#[test]
fn a_datagram_that_nobody_answers_passes_unless_it_is_refused() {
    let _ipvs = fresh();
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let probe = Probe::udp_send(b"<13>hello".into()).timeout(Duration::from_millis(200));
    assert_eq!(check(&probe, silent.local_addr().unwrap()), Ok(()));
    let mut received = [0; 16];
    assert_eq!(silent.recv(&mut received).unwrap(), 9);
    let nobody = "127.0.0.1:9".parse().unwrap();
    assert!(check(&probe, nobody).unwrap_err().starts_with("port unreachable: "));
}
