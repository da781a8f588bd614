//! The daemon ends, in several ways, and starts again, under load.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::scene::{DEAD_HOST, HOSTS, Scene, destination, faulty, file_with, pace, steady};
use crate::stage::{id, ms, to_down, to_up};

#[test]
fn a_restart_changes_nothing() {
    let mut scene = Scene::begin("restart");
    let begin = Instant::now();
    for n in 0_u64..3 {
        match n {
            0 => assert!(scene.daemon.stop().success()),
            _ => scene.daemon.kill(),
        }
        sleep(ms(100));
        scene.daemon.start_again();
        // At another time before and after the first verdicts.
        sleep(ms(200 + 300 * n));
    }
    // Killed in the middle of a reload.
    for _ in 0..2 {
        scene.daemon.signal(rustix::process::Signal::HUP);
        scene.daemon.kill();
        scene.daemon.start_again();
    }
    sleep(ms(800));
    scene.assert_unchanged(begin, "restarts");

    // What has died is dead still, and its recovery is seen.
    let dead = scene.watcher.now(id(faulty())).unwrap();
    assert_eq!(dead.get(&destination(DEAD_HOST)).copied().unwrap_or(0), 0);
    scene.servers[usize::from(DEAD_HOST)].revive();
    let alive = Instant::now();
    let back = scene.watcher.back(id(faulty()), destination(DEAD_HOST), alive);
    let bound = to_up(pace(), Duration::ZERO);
    println!("back after {:?} of {bound:?} after restarts", back - alive);
    assert!(back - alive < 2 * bound + ms(1500), "{:?} of {bound:?}", back - alive);

    // A server dies while there is no daemon.
    scene.daemon.kill();
    let fault = Instant::now();
    scene.servers[2].kill();
    sleep(ms(300));
    let start = Instant::now();
    scene.daemon.start_again();
    let out = scene.watcher.out(id(steady()), destination(2), fault);
    let bound = to_down(pace(), Duration::ZERO);
    println!("out after {:?} of {bound:?} after the start", out.saturating_duration_since(start));
    assert!(out.saturating_duration_since(start) < 2 * bound + ms(2000), "{:?}", out - start);
    scene.servers[2].revive();
    scene.watcher.back(id(steady()), destination(2), out);

    // The file changes while there is no daemon.
    scene.daemon.kill();
    scene.daemon.write(&file_with(&[0, 2, DEAD_HOST]));
    let changed = Instant::now();
    scene.daemon.start_again();
    scene.watcher.back(id(steady()), destination(DEAD_HOST), changed);
    scene.watcher.out(id(steady()), destination(1), changed);
    scene.daemon.write(&file_with(&HOSTS));
    let changed = Instant::now();
    scene.daemon.reload().unwrap();
    scene.watcher.back(id(steady()), destination(1), changed);
    sleep(ms(300));
    scene.end("restarts", &[(steady(), fault, out)]);
}
