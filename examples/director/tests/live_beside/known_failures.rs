//! Known failures of other checkers that keepalived 2.2.7 has. `live_failures` shows that the daemon
//! has none of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};

use crate::keepalived::Keepalived;
use crate::stage::{Manner, Stage, at, id, ms, there, vip, wait_for};

const PORT: u16 = 9000;

fn web() -> SocketAddr {
    vip(0, 80)
}

/// keepalived's file with servers on these hosts, whose check is as given.
fn file(hosts: &[u8], url: &str) -> String {
    let servers: String = hosts
        .iter()
        .map(|host| {
            format!(
                "real_server {} {PORT} {{\n weight 1\n HTTP_GET {{\n url {{\n path /check\n {url}\n }}\n \
                 connect_timeout 1\n retry 0\n delay_before_retry 1\n }}\n}}\n",
                at(*host, PORT).ip()
            )
        })
        .collect();
    format!(
        "virtual_server {} {} {{\ndelay_loop 1\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n{servers}}}\n",
        web().ip(),
        web().port()
    )
}

#[test]
#[ignore = "is about keepalived alone"]
fn known_failures() {
    assert!(Keepalived::is_there(), "KEEPALIVED is not set");
    stands_still();
    dies_of_an_answer();
    closing_sockets_block();
}

/// 2: the checker stands still, and nobody notices.
fn stands_still() {
    let stage = Arc::new(Stage::with_hosts(2));
    let mut servers: Vec<_> = (0..2).map(|host| stage.serve(host, PORT)).collect();
    let keepalived = Keepalived::start(&stage, &file(&[0, 1], "status_code 200"));
    let watcher = stage.watch(&[id(web())]);
    watcher.back(id(web()), there(1, PORT), Instant::now());
    sleep(ms(2000));
    let checker = keepalived.checker().unwrap();
    kill_process(checker, Signal::STOP).unwrap();
    servers[1].kill();
    let stopped = Instant::now();
    sleep(Duration::from_secs(15));
    let is_same = keepalived.checker() == Some(checker);
    let changes = watcher.changes_since(id(web()), stopped).len();
    println!(
        "2: the checker stood still for {:.0?}: {}, the dead server is {}",
        stopped.elapsed(),
        if is_same { "nothing has restarted it" } else { "it was restarted" },
        if changes == 0 { "in the table" } else { "out" },
    );
    kill_process(checker, Signal::CONT).unwrap();
}

/// 3: an answer overflows the buffer of the checker.
fn dies_of_an_answer() {
    let stage = Arc::new(Stage::with_hosts(1));
    let server = stage.serve(0, PORT);
    server.set(Manner::Checks(Arc::from(b"HTTP/1.1 200 OK\r\n\r\nba".as_slice())));
    let url = "status_code 200\n regex \"bar|(?<=.{5000})X\"";
    let keepalived = Keepalived::start(&stage, &file(&[0], url));
    sleep(Duration::from_secs(8));
    let log = keepalived.log();
    let deaths = log.lines().filter(|line| line.contains("exited due to") || line.contains("died"));
    println!("3: after the answer \"ba\" to an expression with a look behind:");
    deaths.take(4).for_each(|line| println!("   {line}"));
}

/// 5: sockets that are being closed block the loop.
fn closing_sockets_block() {
    let stage = Arc::new(Stage::with_hosts(4));
    let servers: Vec<_> = (0..4).map(|host| stage.serve(host, PORT)).collect();
    let _keepalived = Keepalived::start(&stage, &file(&[0, 1, 2, 3], "status_code 200"));
    sleep(ms(3000));
    let silent = [1_u8, 2, 3];
    silent.iter().for_each(|host| servers[usize::from(*host)].set(Manner::Silent));
    // Each falls silent while the checker waits for its answer.
    let begin = Instant::now();
    for host in silent {
        let (server, asked) = (&servers[usize::from(host)], Instant::now());
        wait_for("a check", || (!server.checks_since(asked).is_empty()).then_some(()));
        stage.silence(host, true);
    }
    sleep(Duration::from_secs(25));
    let mut checks = servers[0].checks_since(begin);
    checks.push(Instant::now());
    let longest = checks.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    println!(
        "5: three servers fall silent: the longest pause between checks of another is {longest:.1?}"
    );
}
