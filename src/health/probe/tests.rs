//! Checks against real servers on this host.

mod hostile;

use std::io::{Read as _, Write as _};
use std::iter;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::health::{Outcome, Pace, PoolEvent, PoolPolicy, Share, Verdict, Watched};
use crate::model::{Destination, Service};
use crate::table::TableService;

pub(super) fn check(probe: &Probe, target: SocketAddr) -> Outcome {
    probe.once(target).unwrap()
}

pub(super) fn reason(outcome: Outcome) -> String {
    match outcome {
        Outcome::Failed(reason) => reason,
        passed => panic!("{passed:?}"),
    }
}

/// A server that reads a request of each connection and answers it.
fn server(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

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

struct Panics;

impl Check for Panics {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async { panic!("a fault of the program") })
    }
}

#[test]
fn a_runner_tells_what_the_table_is_to_hold() {
    let (first, second) = (server(b"x"), TcpListener::bind("127.0.0.1:0").unwrap());
    let addresses = [first, second.local_addr().unwrap()];
    let service = Service::tcp(([192, 0, 2, 10], 80).into());
    let table = addresses.iter().fold(TableService::new(service.clone()), |table, address| {
        table.with(Destination::masquerade(*address))
    });
    let fast = Duration::from_millis(20);
    let pace = Pace::new().interval(fast).changing(fast).down(fast).rise(2).fall(2);
    let runner = Runner::start(RunnerOptions::new().concurrency(1)).unwrap();
    let updates = runner.updates();
    runner
        .watch(Watched::new(table).check(Probe::tcp(), pace).policy(PoolPolicy::new()), None)
        .unwrap();
    let mut last = None;
    let mut wait_for = |weights: [Option<u32>; 2]| {
        let end = Instant::now() + Duration::from_secs(30);
        while Instant::now() < end {
            let update = updates.next_within(Duration::from_secs(1));
            if let Some(Update::Wish(wish)) = update {
                let there = |address: &SocketAddr| {
                    wish.service().destination((*address).into()).and_then(|there| there.weight())
                };
                last = Some([there(&addresses[0]), there(&addresses[1])]);
            }
            if last == Some(weights) {
                return;
            }
        }
        panic!("{last:?} is not {weights:?}");
    };
    wait_for([Some(1), Some(1)]);
    drop(second);
    wait_for([Some(1), Some(0)]);
    let second = TcpListener::bind(addresses[1]).unwrap();
    wait_for([Some(1), Some(1)]);
    drop(second);
    assert!(!updates.has_ended());
    runner.forget(service.id);
    drop(runner);
    // What is left is handed out, without a wait.
    let left = iter::from_fn(|| updates.next_within(Duration::MAX));
    assert_eq!(left.last(), Some(Update::Forget(service.id)));
    assert!(updates.has_ended());
}

#[test]
fn updates_are_one_line_each() {
    let service = Service::tcp(([192, 0, 2, 10], 80).into());
    let empty = TableService::new(service.clone());
    let one = |host| Destination::masquerade(([10, 0, 0, host], 8080).into()).weight(host.into());
    let updates = [
        Update::Wish(empty.clone().into()),
        Update::Wish(empty.with(one(2)).with(one(3)).into()),
        Update::Event(service.id, PoolEvent::TakenOut(one(2).id)),
    ];
    assert_eq!(
        updates.map(|update| update.to_string()),
        [
            "TCP 192.0.2.10:80: the table is to hold no destination",
            "TCP 192.0.2.10:80: the table is to hold 10.0.0.2:8080 weight 2, 10.0.0.3:8080 weight 3",
            "TCP 192.0.2.10:80: 10.0.0.2:8080 is out of rotation",
        ]
    );
}

/// Cannot check, for one reason and then for another.
struct CannotCheck(AtomicU32);

impl Check for CannotCheck {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        let reason = if self.0.fetch_add(1, Ordering::Relaxed) < 3 { "no key" } else { "no door" };
        Box::pin(async move { Outcome::not_done(reason) })
    }
}

#[test]
fn a_check_that_cannot_be_done_is_told_once_for_each_reason() {
    let address = nobody();
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
        .with(Destination::masquerade(address));
    let pace = Pace::new().changing(Duration::from_millis(5)).fall(1);
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let probe = Probe::custom("cannot", CannotCheck(AtomicU32::new(0)));
    runner.watch(Watched::new(service).check(probe, pace), None).unwrap();
    let begin = Instant::now();
    while runner.stats().not_done < 6 && begin.elapsed() < Duration::from_secs(30) {
        thread::sleep(Duration::from_millis(5));
    }
    let updates = runner.updates();
    drop(runner);
    let updates =
        iter::from_fn(|| updates.try_next()).filter(|update| !matches!(update, Update::Wish(_)));
    let updates: Vec<_> = updates.map(|update| update.to_string()).collect();
    let told = |reason: &str| format!("{address} cannot be checked: {reason}");
    assert_eq!(updates, [told("no key"), told("no door")]);
}

#[test]
fn a_check_that_panics_has_failed_and_stops_nothing() {
    let address = nobody();
    let service = TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()))
        .with(Destination::masquerade(address));
    let fast = Duration::from_millis(10);
    let pace = Pace::new().changing(fast).fall(2);
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    runner.watch(Watched::new(service).check(Probe::custom("panics", Panics), pace), None).unwrap();
    let updates = runner.updates();
    let end = Instant::now() + Duration::from_secs(30);
    while Instant::now() < end {
        if let Some(Update::Event(_, PoolEvent::Verdict { verdict, .. })) =
            updates.next_within(Duration::from_secs(1))
        {
            assert_eq!(verdict, Verdict::Down);
            return;
        }
    }
    panic!("no verdict");
}

/// A service whose destinations are these servers.
fn table(port: u16, addresses: impl IntoIterator<Item = SocketAddr>) -> TableService {
    let table = TableService::new(Service::tcp(([192, 0, 2, 10], port).into()));
    addresses.into_iter().fold(table, |table, address| table.with(Destination::masquerade(address)))
}

fn wait_until(mut done: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(Instant::now() < end, "it took too long");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn programs_that_wait_delay_no_other_check_and_their_time_does_not_run() {
    let runner = Runner::start(RunnerOptions::new().concurrency(2).commands(1)).unwrap();
    let fast = Pace::new().interval(Duration::from_millis(5)).changing(Duration::from_millis(5));
    // One after the other they take longer than the timeout.
    let program = Probe::command(CommandCheck::new("sleep", ["0.05"]));
    let slow = fast.interval(Duration::from_secs(60));
    let programs = (1..=30).map(|host| SocketAddr::from(([127, 0, 0, host], 1)));
    let programs =
        Watched::new(table(80, programs)).check(program.timeout(Duration::from_secs(1)), slow);
    runner.watch(programs, None).unwrap();
    wait_until(|| runner.stats().waiting > 20);
    runner.watch(Watched::new(table(81, [server(b"x")])).check(Probe::tcp(), fast), None).unwrap();
    wait_until(|| runner.stats().passed > 30);
    assert!(runner.stats().waiting > 0, "checks over TCP went on meanwhile");
    wait_until(|| runner.stats().waiting == 0);
    assert_eq!(runner.stats().failed, 0, "{:?}", runner.stats());
}

/// Blocks the thread until something is sent.
struct Blocks(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl Check for Blocks {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async {
            let _ = self.0.lock().unwrap().recv();
            Outcome::passed()
        })
    }
}

#[test]
fn a_program_sees_that_the_thread_stands_still() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let blocks = Probe::custom("blocks", Blocks(receiver.into()));
    let pace = Pace::new().changing(Duration::from_millis(1));
    runner.watch(Watched::new(table(80, [nobody()])).check(blocks, pace), None).unwrap();
    wait_until(|| runner.stats().silent > Duration::from_millis(1500));
    drop(sender);
    wait_until(|| runner.stats().silent < Duration::from_millis(1100) && runner.stats().passed > 0);
}

/// Never ends by itself.
struct Hangs;

impl Check for Hangs {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(std::future::pending())
    }
}

#[test]
fn checks_that_hang_delay_no_other_while_slots_are_free_and_are_seen_if_they_do() {
    let hosts = (1..=200).map(|host| SocketAddr::from(([127, 0, 0, host], 1)));
    let hang = Probe::custom("hangs", Hangs).timeout(Duration::from_secs(30));
    let fast = Pace::new().interval(Duration::from_millis(5)).changing(Duration::from_millis(5));
    let hanging = Watched::new(table(80, hosts)).check(hang, fast);
    let web = Watched::new(table(81, [server(b"x")])).check(Probe::tcp(), fast);

    let runner = Runner::start(RunnerOptions::new()).unwrap();
    runner.watch(hanging.clone(), None).unwrap();
    wait_until(|| runner.stats().running == 200);
    runner.watch(web.clone(), None).unwrap();
    wait_until(|| runner.stats().passed > 30);

    let runner = Runner::start(RunnerOptions::new().concurrency(100)).unwrap();
    runner.watch(hanging, None).unwrap();
    wait_until(|| runner.stats().running == 100);
    runner.watch(web, None).unwrap();
    wait_until(|| runner.stats().behind > Duration::from_millis(300));
    assert_eq!(runner.stats().passed, 0);
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

/// Waits for something that blocks, on another thread.
struct Reads;

impl Check for Reads {
    fn check(&self, _: SocketAddr) -> CheckFuture<'_> {
        Box::pin(async {
            let read = tokio::task::spawn_blocking(|| ()).await;
            read.map_or_else(|error| Outcome::failed(error.to_string()), |()| Outcome::passed())
        })
    }
}

#[test]
fn programs_that_hang_delay_no_check_that_reads_files() {
    let runner = Runner::start(RunnerOptions::new().commands(1)).unwrap();
    let slow = Pace::new().interval(Duration::from_secs(600));
    let hangs = Probe::command(CommandCheck::new("sleep", ["600"]));
    let hangs = hangs.timeout(Duration::from_secs(600));
    runner.watch(Watched::new(table(80, [nobody()])).check(hangs, slow), None).unwrap();
    wait_until(|| runner.stats().running == 1);
    let reads = Probe::custom("reads", Reads).timeout(Duration::from_secs(20));
    runner.watch(Watched::new(table(81, [nobody()])).check(reads, slow), None).unwrap();
    wait_until(|| runner.stats().passed + runner.stats().failed > 0);
    assert_eq!(runner.stats().failed, 0);
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

#[test]
fn a_runner_refuses_settings_out_of_range() {
    let runner = Runner::start(RunnerOptions::new()).unwrap();
    let service = || TableService::new(Service::tcp(([192, 0, 2, 10], 80).into()));
    let watch = |probe, pace| runner.watch(Watched::new(service()).check(probe, pace), None);
    assert_eq!(watch(Probe::tcp(), Pace::new()), Ok(()));
    let message = |refused: Result<(), WatchError>| refused.unwrap_err().to_string();
    assert_eq!(
        message(watch(Probe::tcp().port(0), Pace::new())),
        "TCP 192.0.2.10:80: port 0: must be 1 to 65535"
    );
    assert_eq!(
        message(watch(Probe::tcp(), Pace::new().fall(0))),
        "TCP 192.0.2.10:80: fall 0: must be at least 1"
    );
}
