//! Reloads of long files, one daemon after the other.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::keepalived::Keepalived;
use crate::stage::{Daemon, Server, Stage, Usage, id, ms, program, vip, wait_for};

const PORT: u16 = 9000;
/// Servers of a service.
const EACH: u32 = 10;
const FIRST_SERVICE: u16 = 10_000;

/// keepalived takes minutes in a slow guest.
const LONGEST_RELOAD: Duration = Duration::from_secs(600);

/// All servers are this host.
const NETWORK: &str = "10.128.0.0/14";

fn server(n: u32) -> SocketAddr {
    let [_, a, b, c] = n.to_be_bytes();
    ([10, 128 + a, b, c], PORT).into()
}

/// keepalived's file with so many servers, each checked once in an interval. The last server is left
/// out on demand.
fn file(side: u8, count: u32, interval: Duration, without_last: bool) -> String {
    let (seconds, mut text) = (interval.as_secs(), String::new());
    for n in 0..count {
        if n % EACH == 0 {
            let (ip, port) = (vip(side, 0).ip(), FIRST_SERVICE + u16::try_from(n / EACH).unwrap());
            let close = if n == 0 { "" } else { "}\n" };
            writeln!(
                text,
                "{close}virtual_server {ip} {port} {{\n delay_loop {seconds}\n lb_algo rr\n lb_kind NAT\n \
                 protocol TCP"
            )
            .unwrap();
        }
        if without_last && n + 1 == count {
            break;
        }
        let (ip, port) = (server(n).ip(), PORT);
        writeln!(
            text,
            " real_server {ip} {port} {{\n  weight 1\n  TCP_CHECK {{\n   connect_timeout 5\n   \
             retry 1\n   delay_before_retry 1\n  }}\n }}"
        )
        .unwrap();
    }
    text + "}\n"
}

/// A daemon with a long file.
trait Side {
    fn name(&self) -> &'static str;
    fn reload(&mut self, without_last: bool);
    fn usage(&self) -> Usage;
}

struct Theirs(Keepalived, u32, Duration);

impl Side for Theirs {
    fn name(&self) -> &'static str {
        "keepalived"
    }

    fn reload(&mut self, without_last: bool) {
        self.0.reload(&file(0, self.1, self.2, without_last));
    }

    fn usage(&self) -> Usage {
        self.0.usage()
    }
}

struct Ours {
    daemon: Daemon,
    /// The whole file, and the one without the last server.
    texts: [String; 2],
}

impl Side for Ours {
    fn name(&self) -> &'static str {
        "director"
    }

    fn reload(&mut self, without_last: bool) {
        self.daemon.write(&self.texts[usize::from(without_last)]);
        self.daemon.signal(Signal::HUP);
    }

    fn usage(&self) -> Usage {
        self.daemon.usage()
    }
}

fn converted(stage: &Stage, count: u32, interval: Duration, without_last: bool) -> String {
    let path = stage.folder().join("long.conf");
    std::fs::write(&path, file(1, count, interval, without_last)).unwrap();
    let output = Command::new(program()).arg("convert").arg(path).output().unwrap();
    assert!(matches!(output.status.code(), Some(0 | 9)));
    String::from_utf8(output.stdout).unwrap()
}

/// The longest pause without one of these times until now.
fn longest_pause(from: Instant, times: &[Instant]) -> Duration {
    let all: Vec<_> =
        [from].into_iter().chain(times.iter().copied()).chain([Instant::now()]).collect();
    all.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

/// Lets a daemon check all servers, and reload.
fn measure(
    stage: &Arc<Stage>,
    all: &Server,
    side: u8,
    (count, interval): (u32, Duration),
    start: impl FnOnce() -> Box<dyn Side>,
) {
    let last = id(vip(side, FIRST_SERVICE + u16::try_from((count - 1) / EACH).unwrap()));
    let begin = Instant::now();
    let mut daemon = start();
    let watcher = stage.watch(&[last]);
    let mut patience = 20;
    while all.accepted_since(begin).len() < usize::try_from(count).unwrap() && patience > 0 {
        sleep(interval / 4);
        patience -= 1;
    }
    let name = daemon.name();
    println!("{name}: {count} servers checked after {:.1?}", begin.elapsed());
    sleep(interval);
    let window = |daemon: &dyn Side, act: &mut dyn FnMut()| {
        let (from, before) = (Instant::now(), daemon.usage());
        act();
        sleep(interval);
        let after = daemon.usage();
        let times = all.accepted_since(from);
        let pause = longest_pause(from, &times);
        (times.len(), pause, after.ticks.saturating_sub(before.ticks), after.resident)
    };
    let (checks, pause, cost, resident) = window(&*daemon, &mut || ());
    println!(
        "{name}: undisturbed for {interval:?}: {} checks, longest pause {:.2?}, {:.2} s of processor, {resident} KiB",
        checks,
        pause,
        cost as f64 / 100.0,
    );
    for without_last in [true, false] {
        let reload = Instant::now();
        let before = daemon.usage();
        daemon.reload(without_last);
        let wanted = usize::try_from(EACH).unwrap() - usize::from(without_last);
        let there = || watcher.now(last).is_some_and(|all| all.len() == wanted);
        while !there() {
            assert!(reload.elapsed() < LONGEST_RELOAD, "{name}: no end of the reload");
            sleep(ms(20));
        }
        let done = Instant::now();
        sleep((2 * interval).saturating_sub(reload.elapsed()));
        let times = all.accepted_since(reload);
        let after = daemon.usage();
        println!(
            "{name}: reload, one server {}: in the table after {:.2?}; in {:.0?}: {} checks, longest pause {:.2?}, {:.2} s of processor, {} KiB",
            if without_last { "less" } else { "more" },
            done - reload,
            reload.elapsed(),
            times.len(),
            longest_pause(reload, &times),
            after.ticks.saturating_sub(before.ticks) as f64 / 100.0,
            after.resident,
        );
    }
}

#[test]
#[ignore = "takes minutes, and is for its numbers"]
fn long_files() {
    let number =
        |name, default| std::env::var(name).map_or(default, |text| text.parse::<u32>().unwrap());
    let count = number("SERVERS", 10_000);
    let interval = Duration::from_secs(u64::from(number("INTERVAL", 20)));
    if Keepalived::is_there() {
        let stage = Arc::new(Stage::with_hosts(1));
        stage.give(0, NETWORK);
        let all = stage.serve_at(0, ([0, 0, 0, 0], PORT).into());
        measure(&stage, &all, 0, (count, interval), || {
            let keepalived = Keepalived::start(&stage, &file(0, count, interval, false));
            wait_for("the checker", || keepalived.checker());
            Box::new(Theirs(keepalived, count, interval))
        });
    }
    let stage = Arc::new(Stage::with_hosts(1));
    stage.give(0, NETWORK);
    let all = stage.serve_at(0, ([0, 0, 0, 0], PORT).into());
    let texts = [false, true].map(|without| converted(&stage, count, interval, without));
    measure(&stage, &all, 1, (count, interval), || {
        Box::new(Ours { daemon: Daemon::start(&stage, "long", &texts[0]), texts })
    });
}
