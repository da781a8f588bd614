//! What servers answer.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Instant;

use ipvs_netlink::health::probe::{CommandCheck, Exchange, HttpCheck, Probe};
use ipvs_netlink::health::{Verdict, Watched};

use crate::{Checks, PATIENCE, answer_ok, expect_ok, ms, quick, server, service};

#[test]
fn answers_of_any_length_fail_the_check_and_nothing_else() {
    // Around the sizes of buffers, and far beyond.
    let lengths = [0, 1, 255, 256, 4095, 4096, 4097, 16_384, 65_535, 65_536, 65_537, 3 << 20];
    let mut checks = Vec::new();
    for length in lengths {
        let (address, _) = server(move |stream| {
            let _ = stream.write_all(&vec![b'a'; length]);
            let _ = stream.shutdown(Shutdown::Write);
        });
        checks.push((address, expect_ok()));
    }
    for length in [0, 1, 65_507] {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        thread::spawn(move || {
            while let Ok((_, from)) = socket.recv_from(&mut [0; 16]) {
                let _ = socket.send_to(&vec![b'a'; length], from);
            }
        });
        checks.push((address, Probe::udp(Exchange::new("x", "b"))));
    }
    for (n, length) in (1..).zip([0, 1, 4096, 60_000]) {
        let script = format!("head -c {length} /dev/zero; exit 1");
        let address = SocketAddr::from(([127, 0, 0, n], 9));
        checks.push((address, Probe::command(CommandCheck::new("sh", ["-c", &script]))));
    }
    let (good, _) = server(answer_ok);
    let all = checks.iter().cloned().chain([(good, expect_ok())]);
    let mut verdicts = Checks::start(all);
    for (bad, probe) in checks {
        assert_eq!(verdicts.verdict(bad), Verdict::Down, "{probe:?}");
    }
    assert_eq!(verdicts.verdict(good), Verdict::Up);
}

/// Returns how long the threads of runners have computed, in hundredths of a second.
fn computed() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap().flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    let runners = stats.filter(|stat| stat.contains("(ipvs-health)"));
    let times = runners.map(|stat| {
        let fields = stat.rsplit(')').next().unwrap().split_whitespace().skip(11).take(2);
        fields.map(|field| field.parse::<u64>().unwrap()).sum::<u64>()
    });
    times.sum()
}

#[test]
fn a_refusal_with_a_long_body_stops_nothing() {
    for length in [17_000, 3 << 20] {
        let body = vec![b'x'; length];
        let (address, checked) = server(move |stream| {
            let _ = stream.read(&mut [0; 512]);
            let head = format!("HTTP/1.1 404 Not Found\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        });
        let mut verdicts = Checks::start([]);
        // A few checks a second, so that a thread that spins stands out.
        let pace = quick().down(ms(400));
        let all = HttpCheck::get("/").unwrap();
        let text = all.clone().body_contains("y");
        for (port, check) in [(1, all), (2, text)] {
            let watched = Watched::new(service(port, [address])).check(Probe::http(check), pace);
            verdicts.runner.watch(watched, None).unwrap();
        }
        verdicts.becomes(address, Verdict::Down);
        let (begin, before) = (Instant::now(), computed());
        for _ in 0..6 {
            checked.recv_timeout(PATIENCE).unwrap();
        }
        let (passed, computed) = (begin.elapsed(), computed() - before);
        let stats = verdicts.runner.stats();
        assert!(stats.passed == 0 && stats.failed >= 4, "{stats:?}");
        assert!(u128::from(computed) * 100 < passed.as_millis(), "{computed} of {passed:?}");
    }
}

#[test]
fn an_answer_in_parts_takes_no_longer() {
    let probes = [expect_ok(), Probe::http(HttpCheck::get("/").unwrap())];
    for probe in probes {
        // The second part waits for the acknowledgement of the first one (Nagle's algorithm).
        let (address, kept) = server(|stream: &mut TcpStream| {
            let _ = stream.read(&mut [0; 512]);
            for part in ["HTTP/1.1 2", "00 ", "OK\r\ncontent-length: 0\r\n\r\n"] {
                let _ = stream.write_all(part.as_bytes());
            }
        });
        let mut verdicts = Checks::start([(address, probe)]);
        assert_eq!(verdicts.verdict(address), Verdict::Up);
        let quickest = (0..20).map(|_| kept.recv_timeout(PATIENCE).unwrap()).min();
        assert!(quickest < Some(ms(35)), "{quickest:?}");
    }
}
