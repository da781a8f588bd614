//! Checks against real servers on this host.

mod hostile;
mod runner;
pub(super) mod servers;
mod status;

use std::io::Read as _;
use std::net::{TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::health::{Outcome, Share};
use servers::{check, nobody, reason, server};

#[test]
fn tcp_connects_or_says_why_not() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    assert_eq!(check(&Probe::tcp(), address), Outcome::passed());
    // The server sees a reset, and keeps no connection.
    let (mut stream, _) = listener.accept().unwrap();
    assert!(stream.read(&mut [0; 1]).is_err());
    assert!(reason(check(&Probe::tcp(), nobody())).contains("refused"));
    let other = Probe::tcp().port(address.port());
    assert_eq!(check(&other, nobody()), Outcome::passed());
    let source = Probe::tcp().origin(Origin::new().source([127, 0, 0, 2].into()));
    assert_eq!(check(&source, address), Outcome::passed());
    assert_eq!(
        listener.accept().map(|_| listener.accept().unwrap().1.ip()).unwrap().to_string(),
        "127.0.0.2"
    );
}

#[test]
fn tcp_exchanges_what_is_asked_for_and_is_bounded() {
    let expect = |expect: &str| Probe::tcp_exchange(Exchange::new("PING\r\n", expect));
    let redis = server(b"+PONG\r\n");
    assert_eq!(check(&expect("+PONG"), redis), Outcome::passed());
    assert!(reason(check(&expect("-ERR"), redis)).contains("closed after \"+PONG"));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let short = expect("x").timeout(Duration::from_millis(50));
    assert_eq!(reason(check(&short, silent.local_addr().unwrap())), "timeout after 50 ms");
    static ENDLESS: [u8; 1 << 20] = [b'a'; 1 << 20];
    assert!(reason(check(&expect("b"), server(&ENDLESS))).contains("64 KiB"));
}

#[test]
fn an_agent_says_what_part_of_its_weight_a_destination_is_to_have() {
    let probe = Probe::agent(AgentCheck::new().send("10.0.0.2\n"));
    let agent = server(b"ready 40%\r\ndown\r\n");
    assert_eq!(check(&probe, agent), Outcome::Passed(Share::percent(40)));
    let greedy = server(b"65535%\n");
    assert_eq!(check(&probe, greedy), Outcome::passed());
    let trusted = Probe::agent(AgentCheck::new().send("x").most(Share::percent(300)));
    assert_eq!(check(&trusted, greedy), Outcome::Passed(Share::percent(300)));
    // Without the end of a line, and with a request that the agent does not read.
    let agent = server(b"up");
    assert_eq!(check(&probe, agent), Outcome::passed());
    assert_eq!(reason(check(&probe, server(b""))), "the agent says nothing");
    assert!(reason(check(&probe, nobody())).contains("refused"));
    static ENDLESS: [u8; 1 << 16] = [b' '; 1 << 16];
    assert!(reason(check(&probe, server(&ENDLESS))).contains("4 KiB"));
}

#[test]
fn the_exit_code_of_a_weighted_command_is_a_part_of_the_weight() {
    let exits = |code: u8| CommandCheck::new("sh", ["-c".to_owned(), format!("exit {code}")]);
    let outcome = |code| check(&Probe::command(exits(code).weighted()), nobody());
    assert_eq!(outcome(0), Outcome::passed());
    assert_eq!(outcome(52), Outcome::Passed(Share::percent(50)));
    assert_eq!(outcome(2), Outcome::Passed(Share::percent(0)));
    assert_eq!(outcome(255), Outcome::Passed(Share::percent(253)));
    assert!(reason(outcome(1)).contains("exit code 1"));
    let plain = check(&Probe::command(exits(52)), nobody());
    assert!(reason(plain).contains("exit code 52"));
}

#[test]
fn udp_expects_an_answer_and_notices_a_refusal() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut request = [0; 16];
        while let Ok((length, from)) = socket.recv_from(&mut request) {
            socket.send_to(&request[..length], from).unwrap();
        }
    });
    let probe = |expect: &str| Probe::udp(Exchange::new("hello", expect));
    assert_eq!(check(&probe("ell"), address), Outcome::passed());
    assert!(reason(check(&probe("bye"), address)).contains("unexpected answer: \"hello\""));
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let send = || Probe::udp_send(b"hello".into()).timeout(Duration::from_millis(50));
    assert_eq!(check(&send(), silent.local_addr().unwrap()), Outcome::passed());
    let long = Duration::from_secs(20);
    let begin = Instant::now();
    for probe in [probe(""), send()] {
        // Few, because the kernel refuses fewer than are sent.
        for _ in 0..3 {
            let refused = reason(check(&probe.clone().timeout(long), nobody()));
            assert!(refused.starts_with("port unreachable: Connection refused"), "{refused}");
        }
    }
    assert!(begin.elapsed() < long / 2, "the refusals end the checks");
}

#[test]
fn a_command_says_by_its_exit_code_and_is_killed_with_all_its_processes() {
    let shell = |script: &str| Probe::command(CommandCheck::new("sh", ["-c", script]));
    let target = nobody();
    assert_eq!(check(&shell("exit 0"), target), Outcome::passed());
    assert_eq!(
        reason(check(&shell("echo no such disk; exit 3"), target)),
        "exit code 3: \"no such disk\""
    );
    assert_eq!(reason(check(&shell("kill -9 $$"), target)), "signal 9");
    let environment =
        shell("test \"$TARGET_PORT\" -gt 0 && test -z \"$HOME\" && test $(env | wc -l) -le 6");
    assert_eq!(check(&environment, target), Outcome::passed());
    let missing = check(&Probe::command(CommandCheck::new("/no/such", [""; 0])), target);
    let Outcome::NotDone(missing) = missing else { panic!("{missing:?}") };
    assert!(missing.starts_with("\"/no/such\": No such file"), "{missing}");
    let begin = Instant::now();
    let hangs = shell("sleep 61 & sleep 61; true").timeout(Duration::from_millis(300));
    assert_eq!(reason(check(&hangs, target)), "timeout after 300 ms");
    // What is left behind when the program ends in time is killed, too, and its pipe is not waited for.
    let leaves = shell("sleep 62 & exit 1").timeout(Duration::from_secs(30));
    assert_eq!(reason(check(&leaves, target)), "exit code 1: \"\"");
    let talks = shell("yes").timeout(Duration::from_millis(300));
    assert_eq!(reason(check(&talks, target)), "timeout after 300 ms");
    assert!(begin.elapsed() < Duration::from_secs(20));
    thread::sleep(Duration::from_millis(100));
    let sleeping = std::fs::read_dir("/proc").unwrap().flatten().filter(|entry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line == b"sleep\x0061\0" || line == b"sleep\x0062\0"
    });
    assert_eq!(sleeping.count(), 0, "all processes of the group are dead");
}

#[test]
fn a_check_by_tcp_takes_little_memory_while_it_runs() {
    let probe = Probe::tcp();
    let size = size_of_val(&probe.run(nobody(), &programs::Programs::default()));
    assert!(size <= 640, "{size}");
}

/// A check of each kind that has sockets of this library.
fn all_kinds() -> Vec<Probe> {
    let exchange = || Exchange::new("x", "");
    let probes = vec![
        Probe::tcp(),
        Probe::tcp_exchange(exchange()),
        Probe::udp(exchange()),
        Probe::udp_send(b"x".into()),
        Probe::icmp(),
        Probe::agent(AgentCheck::new()),
        #[cfg(feature = "health-grpc")]
        Probe::grpc(GrpcCheck::new()),
        #[cfg(feature = "health-dns")]
        Probe::dns(DnsCheck::new("example.com", DnsType::A).unwrap()),
        #[cfg(feature = "health-dns")]
        Probe::dns(DnsCheck::new("example.com", DnsType::A).unwrap().tcp()),
        #[cfg(feature = "health-http")]
        Probe::http(HttpCheck::get("/").unwrap()),
        #[cfg(feature = "health-tls")]
        Probe::tls(TlsCheck::new(TlsOptions::new())),
    ];
    // A new kind does not compile here, and belongs above.
    for probe in &probes {
        match &probe.kind {
            ProbeKind::Tcp | ProbeKind::TcpExchange(_) | ProbeKind::Udp(_) => {}
            ProbeKind::UdpSend(_) | ProbeKind::Icmp | ProbeKind::Agent(_) => {}
            #[cfg(feature = "health-grpc")]
            ProbeKind::Grpc(_) => {}
            #[cfg(feature = "health-dns")]
            ProbeKind::Dns(_) => {}
            #[cfg(feature = "health-http")]
            ProbeKind::Http(_) => {}
            #[cfg(feature = "health-tls")]
            ProbeKind::Tls(_) => {}
            ProbeKind::Command(_) | ProbeKind::Custom(_) => panic!("no sockets of this library"),
        }
    }
    probes
}

#[test]
fn what_this_host_lacks_is_no_fault_of_a_server() {
    for probe in all_kinds() {
        for origin in [
            Origin::new().interface("nosuch0"),
            Origin::new().source([192, 0, 2, 200].into()),
            Origin::new().namespace("/no/such"),
        ] {
            let outcome = check(&probe.clone().origin(origin.clone()), nobody());
            assert!(matches!(outcome, Outcome::NotDone(_)), "{probe:?} {origin:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_command_says_a_line_of_an_agent() {
    let answers = |answer, script: &str| {
        let command = CommandCheck::new("sh", ["-c", script]).answer(answer);
        check(&Probe::command(command), nobody())
    };
    let share = |percent| Outcome::Passed(Share::percent(percent));
    let line = |script: &str| answers(CommandAnswer::Line, script);
    assert_eq!(line("echo 75%"), share(75));
    assert_eq!(line("echo drain; echo down"), share(0));
    assert_eq!(line("echo up"), Outcome::passed());
    assert_eq!(reason(line("echo 'down # disk'")), "the agent says \"down # disk\"");
    assert_eq!(reason(line("true")), "the agent says nothing");
    assert_eq!(reason(line("echo up; exit 4")), "exit code 4: \"up\"");
}
