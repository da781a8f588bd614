//! The course of a soak.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::agreement::disagreement;
use crate::chance::Chance;
use crate::faults::{Faults, spread};
use crate::followers::Followers;
use crate::foreign::Foreign;
use crate::orders::{self, Counts};
use crate::stage::{
    Daemon, Pulse, Stage, Tally, Usage, at, file, id, ms, service, there, vip, wait_for,
};

pub(crate) const PORT: u16 = 9000;
/// Hosts whose servers never fail.
pub(crate) const CALM_HOSTS: [u8; 3] = [0, 1, 2];
/// Those of them that orders take out of the rotation, one at a time.
pub(crate) const ORDERED_HOSTS: [u8; 2] = [0, 1];
/// The one whose server the other program takes out of the rotation. So there is always another one.
pub(crate) const FOREIGN_HOST: u8 = 2;
/// Hosts whose servers fail.
pub(crate) const FAULTY_HOSTS: [u8; 3] = [3, 4, 5];

/// The part of the time in which the daemon is killed and started. After that it is one process, whose
/// memory is compared.
const RESTARTS: f64 = 0.25;

/// For how long the kernel may know a connection of a server that has died.
const KNOWN: Duration = Duration::from_secs(120);

/// The service of the hosts that never fail.
pub(crate) fn calm() -> SocketAddr {
    vip(0, 8001)
}

/// The service of the hosts that fail.
pub(crate) fn faulty() -> SocketAddr {
    vip(0, 8002)
}

/// A service that one of the hosts has that fail, with commands.
fn edge() -> SocketAddr {
    vip(0, 8003)
}

/// Where the commands of the service of one server write.
fn announced(folder: &Path) -> PathBuf {
    folder.join("announced")
}

/// One of several files: services without clients come and go, and so does a server of the calm one.
pub(crate) fn file_of(folder: &Path, variant: u64) -> String {
    let servers = |hosts: &[u8]| hosts.iter().map(|host| at(*host, PORT)).collect::<Vec<_>>();
    let all = servers(&[0, 1, 2, 3, 4, 5]);
    let calm_servers = match variant % 2 {
        0 => servers(&CALM_HOSTS),
        // Of one host two servers.
        _ => [servers(&CALM_HOSTS), vec![at(0, PORT + 1)]].concat(),
    };
    let mut services =
        vec![service(calm(), &calm_servers, &[]), service(faulty(), &servers(&FAULTY_HOSTS), &[])];
    let script = format!("echo $DIRECTOR_STATE >>{}", announced(folder).display());
    let command = format!("[sh, -c, '{script}']");
    let commands = format!("commands: {{available: {command}, unavailable: {command}}}");
    services.push(service(edge(), &servers(&FAULTY_HOSTS[2..]), &[&commands]));
    let count = if variant < 2 { 20 } else { 10 };
    services.extend((0..count).map(|n| service(vip(1, 7000 + n), &all, &[])));
    format!("resync: 2s\n{}", file(&services))
}

/// Lets everything happen for a while.
pub(crate) fn soak(length: Duration) {
    let mut chance = Chance::from_environment();
    let stage = Arc::new(Stage::with_hosts(6));
    let _calm = CALM_HOSTS.map(|host| [PORT, PORT + 1].map(|port| stage.serve(host, port)));
    let pulse = Pulse::start();
    let mut foreign = Foreign::new(&stage);
    foreign.begin();
    let watcher = Arc::new(stage.watch(&[id(calm()), id(faulty())]));
    let faults = Faults::begin(&stage, &watcher, chance.fork());
    let mut daemon = Daemon::start(&stage, "soak", &file_of(stage.folder(), 0));
    let begin = Instant::now();
    for host in CALM_HOSTS {
        watcher.back(id(calm()), there(host, PORT), begin);
    }
    for host in FAULTY_HOSTS {
        watcher.back(id(faulty()), there(host, PORT), begin);
    }
    let crowd = stage.crowd(&[calm(), faulty()], 25);
    let followers = Followers::begin(daemon.socket());
    let (begin, mut counts, mut restarts) = (Instant::now(), Counts::default(), 0);
    let mut samples = Vec::new();
    // On a busy machine a short soak does little in its time.
    while begin.elapsed() < length || counts.orders < 2 || counts.reloads < 2 || foreign.writes < 2
    {
        let is_early = begin.elapsed() < length.mul_f64(RESTARTS);
        // A short soak has one of each, too.
        let what = if restarts == 0 { 0 } else { chance.below(10) };
        match what {
            0 if is_early => {
                match chance.below(3) {
                    0 => assert!(daemon.stop().success(), "{}", daemon.log()),
                    _ => daemon.kill(),
                }
                sleep(ms(chance.below(500)));
                daemon.start_again();
                restarts += 1;
            }
            0..=3 => orders::order(&daemon, &mut chance, &mut counts),
            4..=6 => orders::reload(&daemon, stage.folder(), &pulse, &mut chance, &mut counts),
            _ => foreign.write(&mut chance),
        }
        sleep(ms(chance.below(400)));
        if !is_early {
            samples.push((begin.elapsed(), daemon.usage()));
        }
    }
    let faults = faults.end();
    let followed = followers.end();
    orders::end(&daemon);
    daemon.write(&file_of(stage.folder(), 0));
    daemon.reload().unwrap();
    // One maintenance and one weight stay, so that the files have something to agree on.
    orders::leave_some(&daemon);
    agree(&stage, &daemon, "at the end");
    daemon.kill();
    daemon.start_again();
    agree(&stage, &daemon, "after a restart at the end");
    let tallies = crowd.stop();
    let commands = fs::read_to_string(announced(stage.folder())).unwrap();
    assert_eq!(commands.lines().last(), Some("available"), "{}", daemon.log());

    let failed = |tally: &Tally, windows: &[(Instant, Instant)]| {
        let is_excused = |begin: Instant, end: Instant| {
            windows.iter().any(|(from, to)| begin <= *to && end >= *from)
        };
        let all = tally.failed.iter();
        let (known, failed): (Vec<_>, Vec<_>) = all
            .filter(|it| !is_excused(it.begin, it.end))
            .cloned()
            .partition(|it| it.port_failed_before.is_some_and(|before| before < KNOWN));
        (known.len(), failed)
    };
    let windows: Vec<_> = faults.iter().map(|fault| (fault.begin, fault.out)).collect();
    let (out, most_out) = spread(faults.iter().map(|it| it.out - it.begin));
    let (back, most_back) = spread(faults.iter().map(|it| it.back - it.recovery));
    let looks = watcher.looks();
    println!(
        "{:?}: {} faults, out after {out:.2?} (most {most_out:.2?}), back after {back:.2?} (most {most_back:.2?})",
        begin.elapsed(),
        faults.len()
    );
    println!(
        "{counts:?}, {} foreign writes, {restarts} restarts, {looks} looks at the table",
        foreign.writes
    );
    println!("{followed} events followed, {} commands run", commands.lines().count());
    let mut wrong = Vec::new();
    for (vip, windows) in [(calm(), &foreign.deletions), (faulty(), &windows)] {
        let tally = &tallies[&vip];
        let (known, failed) = failed(tally, windows);
        println!(
            "{vip}: {} of {} connections failed where none is promised, {known} by a port that the \
             kernel knew, {} in all",
            failed.len(),
            tally.count,
            tally.failed.len()
        );
        wrong.extend(failed);
    }
    flat(&samples);
    let shown: Vec<_> = wrong.iter().take(20).map(|it| (it.begin - begin, &it.why)).collect();
    assert!(wrong.is_empty(), "{shown:#?}\n{}", daemon.log());
    let (faults, writes) = (faults.len(), foreign.writes);
    assert!(
        faults > 1 && counts.orders > 1 && counts.reloads > 1 && writes > 1,
        "{faults} faults, {counts:?}, {writes} foreign writes"
    );
}

/// Waits until table, state file and status agree.
fn agree(stage: &Stage, daemon: &Daemon, when: &str) {
    let foreign = id(Foreign::its_service());
    let mut last = None;
    let agreed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        wait_for(when, || {
            last = disagreement(stage, daemon, foreign);
            last.is_none().then_some(())
        });
    }));
    assert!(agreed.is_ok(), "{when}: {}\n{}", last.unwrap_or_default(), daemon.log());
}

/// Asserts that memory and descriptors do not grow, after a third of the samples.
fn flat(samples: &[(Duration, Usage)]) {
    let (warm, rest) = samples.split_at(samples.len() / 3);
    let most = |of: &[(Duration, Usage)], what: fn(&Usage) -> u64| {
        of.iter().map(|(_, usage)| what(usage)).max().unwrap_or(0)
    };
    let resident = |usage: &Usage| usage.resident;
    let descriptors = |usage: &Usage| usage.descriptors as u64;
    for (time, usage) in samples.iter().step_by(samples.len().div_ceil(12)) {
        println!("after {time:.0?}: {usage:?}");
    }
    let [before, after] = [warm, rest].map(|of| (most(of, resident), most(of, descriptors)));
    println!("most KiB resident and descriptors: {before:?} until then, {after:?} after");
    // What checks are under way at a moment differs.
    assert!(after.0 <= before.0 + before.0 / 10 + 1024, "memory: {before:?}, then {after:?} KiB");
    assert!(after.1 <= before.1 + 20, "descriptors: {before:?}, then {after:?}");
}
