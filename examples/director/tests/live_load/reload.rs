//! Reloads under load.

use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::scene::{
    DEAD_HOST, HOSTS, Scene, assert_rhythm, destination, faulty, file_with, pace, steady,
};
use crate::stage::{id, ms, to_down, to_up};

#[test]
fn a_reload_changes_what_the_file_changes() {
    let mut scene = Scene::begin("reload");
    let begin = Instant::now();

    // The same file, by order and by signal.
    for n in 0..4 {
        match n % 2 {
            0 => drop(scene.daemon.reload().unwrap()),
            _ => scene.daemon.signal(Signal::HUP),
        }
        sleep(ms(100));
    }
    scene.assert_unchanged(begin, "the same file");

    // A file that would change much, and is wrong at its end.
    let broken = format!("{}- tcp: nowhere\n  scheduler: rr\n", file_with(&[0]));
    scene.daemon.write(&broken);
    let refused = scene.daemon.reload().unwrap_err();
    assert!(refused.iter().any(|line| line.contains("nowhere")), "{refused:?}");
    scene.daemon.signal(Signal::HUP);
    sleep(ms(300));
    scene.assert_unchanged(begin, "a broken file");
    let troubles = scene.daemon.status().troubles;
    assert!(troubles.iter().any(|it| it.contains("director.yaml")), "{troubles:?}");
    // Nor does a file that is gone change anything.
    std::fs::remove_file(scene.daemon.file()).unwrap();
    scene.daemon.reload().unwrap_err();
    scene.assert_unchanged(begin, "a file that is gone");

    // A new server, which is dead.
    scene.daemon.write(&file_with(&[0, 1, 2, DEAD_HOST]));
    scene.daemon.reload().unwrap();
    assert_eq!(scene.daemon.status().troubles, [""; 0]);
    sleep(ms(1000));
    let weight = |scene: &Scene| {
        let now = scene.watcher.now(id(steady())).unwrap();
        now.get(&destination(DEAD_HOST)).copied().unwrap_or(0)
    };
    assert_eq!(weight(&scene), 0, "{}", scene.daemon.log());
    // It comes to life, in both services.
    scene.servers[usize::from(DEAD_HOST)].revive();
    let alive = Instant::now();
    for vip in [steady(), faulty()] {
        let back = scene.watcher.back(id(vip), destination(DEAD_HOST), alive);
        let bound = to_up(pace(), Duration::ZERO);
        assert!(back - alive < 2 * bound + ms(1500), "{:?} of {bound:?}", back - alive);
    }
    // It leaves the file.
    scene.daemon.write(&file_with(&HOSTS));
    let leaving = Instant::now();
    scene.daemon.reload().unwrap();
    scene.watcher.out(id(steady()), destination(DEAD_HOST), leaving);
    sleep(ms(300));
    scene.end("reloads", &[]);
}

#[test]
fn reloads_leave_the_rhythm_of_checks_alone() {
    let mut scene = Scene::begin("rhythm");
    // More reloads than checks, each of a file that differs.
    let storm = |scene: &mut Scene, time: Duration| {
        let begin = Instant::now();
        for n in 0_u32.. {
            let other: &[u8] = if n % 2 == 0 { &[0, 1, 2, DEAD_HOST] } else { &HOSTS };
            scene.daemon.write(&file_with(other));
            scene.daemon.signal(Signal::HUP);
            sleep(ms(60));
            if begin.elapsed() > time {
                break;
            }
        }
    };
    let begin = Instant::now();
    storm(&mut scene, ms(1800));
    let end = Instant::now();
    // Two services check host 0, whose checks are one if they are the same.
    assert_rhythm(&scene.servers[0].checks_since(begin), begin, end, 2);
    scene.assert_live_rotation();

    // A server dies in the middle of it, and comes back in the middle of it.
    let fault = Instant::now();
    scene.servers[2].kill();
    storm(&mut scene, ms(1000));
    let out = scene.watcher.out(id(steady()), destination(2), fault);
    let bound = to_down(pace(), Duration::ZERO);
    println!("out after {:?} of {bound:?} while files reload", out - fault);
    assert!(out - fault < 2 * bound + ms(1500), "{:?} of {bound:?}", out - fault);
    scene.servers[2].revive();
    let alive = Instant::now();
    storm(&mut scene, ms(1000));
    let back = scene.watcher.back(id(steady()), destination(2), alive);
    let bound = to_up(pace(), Duration::ZERO);
    println!("back after {:?} of {bound:?} while files reload", back - alive);
    assert!(back - alive < 2 * bound + ms(1500), "{:?} of {bound:?}", back - alive);
    scene.end("reloads all the time", &[(steady(), fault, out)]);
}
