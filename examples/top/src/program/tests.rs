//! Sessions with threads, over the kernel in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use ipvs_netlink::fake::{Fault, Kernel, Version};
use ipvs_netlink::{Change, Client, Destination, Service};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::*;
use crate::keys::{Input, Key};
use crate::stage::{WEB, id, settings};
use crate::state::Mode;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Table {
    kernel: Kernel,
    bell: Bell,
    session: Session,
    terminal: Terminal<TestBackend>,
}

impl Table {
    fn new(source: impl FnOnce(Kernel) -> Source) -> Self {
        let kernel = Kernel::in_real_time(Version::default());
        let host = kernel.initial();
        let web = Service::tcp("192.0.2.10:80".parse().unwrap());
        host.write(&Change::AddService(web.clone())).unwrap();
        for number in [2, 3] {
            let server = Destination::masquerade(([10, 0, 0, number], 8080).into());
            host.write(&Change::AddDestination(web.id, server)).unwrap();
        }
        let bell = Bell::new().unwrap();
        let beginning = Beginning {
            source: source(kernel.clone()),
            director: None,
            settings: settings(),
            manners: Manners::default(),
            view: View::default(),
            remembered: None,
        };
        let session = Session::begin(beginning, bell.clone()).unwrap();
        let terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        Self { kernel, bell, session, terminal }
    }

    fn screen(&mut self) -> String {
        self.session.learn();
        self.session.draw(&mut self.terminal).unwrap();
        self.terminal.backend().to_string()
    }

    /// Waits until the screen has a text.
    fn wait_for(&mut self, text: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.screen().contains(text) {
            assert!(Instant::now() < deadline, "no {text:?}:\n{}", self.screen());
            thread::sleep(Duration::from_millis(10));
            self.bell.silence();
        }
    }

    fn keys(&mut self, keys: &str) {
        for key in keys.chars() {
            self.screen();
            let key = if key == '\n' { Key::Enter } else { Key::Char(key) };
            assert_eq!(self.session.take(Input::Key(key)), Next::Continue);
        }
    }
}

#[test]
fn a_key_is_answered_while_a_reading_never_returns() {
    let hang = Arc::new(AtomicBool::new(false));
    let wanted = Arc::clone(&hang);
    let mut table = Table::new(|kernel| {
        Source::of(move || {
            let mut client = Client::fake(&kernel)?;
            // Without a deadline, a client waits for an answer that was lost for ever.
            client.set_deadline(None);
            if wanted.load(Ordering::SeqCst) {
                kernel.fail(1, Fault::AnswerLost);
            }
            Ok(client)
        })
    });
    table.wait_for(WEB);
    hang.store(true, Ordering::SeqCst);
    let requests = table.kernel.requests();
    table.wait_for("no reading for");
    assert!(table.kernel.requests() > requests, "nothing was asked for");

    let begun = Instant::now();
    for (keys, text) in
        [("\n", "DESTINATION"), ("j", "10.0.0.3"), ("q", "SERVICE"), ("?", "this help")]
    {
        table.keys(keys);
        assert!(table.screen().contains(text), "{}", table.screen());
    }
    assert_eq!(table.session.take(Input::Key(Key::Char('q'))), Next::Continue);
    assert_eq!(table.session.take(Input::Key(Key::Char('q'))), Next::Quit);
    // Far less than any deadline of a client.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    table.session.end(|| false).unwrap();
    let latest = table.kernel.requests();
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(table.kernel.requests(), latest, "the reading has returned");
}

#[test]
fn a_drain_and_its_undo_are_carried_out() {
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.wait_for(WEB);
    table.keys("\nd");
    assert!(table.screen().contains("Drain 10.0.0.2:8080"));
    table.keys("y");
    table.wait_for("has weight 0 (before: 1)");
    let weight = |kernel: &Kernel| {
        let destination = "10.0.0.2:8080".parse().unwrap();
        kernel.initial().destination(id(WEB), destination).unwrap().destination.weight
    };
    assert_eq!(weight(&table.kernel), 0);
    table.wait_for("drained");
    table.keys("uy");
    table.wait_for("has weight 1 (before: 0)");
    assert_eq!(weight(&table.kernel), 1);
    table.keys("uzy");
    table.wait_for("the counters of TCP 192.0.2.10:80 are 0");
}

#[test]
fn an_order_for_what_has_changed_meanwhile_changes_nothing() {
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.wait_for(WEB);
    table.keys("\nd");
    let destination = "10.0.0.2:8080".parse().unwrap();
    let entry = table.kernel.initial().destination(id(WEB), destination).unwrap();
    table.kernel.initial().write(&Change::weight_of(id(WEB), &entry, 5)).unwrap();
    table.keys("y");
    table.wait_for("has weight 5 now, and not 1 as you saw");
    let entry = table.kernel.initial().destination(id(WEB), destination).unwrap();
    assert_eq!(entry.destination.weight, 5);

    table.wait_for("WEIGHT");
    thread::sleep(Duration::from_millis(100));
    table.session.learn();
    table.keys("jd");
    table.kernel.initial().write(&Change::DeleteService(id(WEB))).unwrap();
    table.keys("y");
    table.wait_for("is not in the table any more");
    table.wait_for("this service is not in the table any more");
}

#[test]
fn pasted_text_orders_nothing() {
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.wait_for(WEB);
    table.keys("\n");
    table.session.take(Input::Paste("dy".to_owned()));
    assert!(!table.screen().contains("Drain"));
    table.keys("q/");
    table.session.take(Input::Paste("192.0\n.2".to_owned()));
    assert_eq!(table.session.state.view.filter.text(), "192.0.2");
}

#[test]
fn a_click_selects_and_the_wheel_moves() {
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.wait_for(WEB);
    table.keys("\n");
    let screen = table.screen();
    let line = screen.lines().position(|line| line.contains("10.0.0.3:8080")).unwrap();
    let line = u16::try_from(line).unwrap();
    table.session.take(Input::Click { line });
    assert_eq!(table.session.state.destination.at(), 1);
    for line in [0, line + 1, 23, 60_000] {
        table.session.take(Input::Click { line });
        assert_eq!(table.session.state.destination.at(), 1);
    }
    table.session.take(Input::Wheel { up: true });
    assert_eq!(table.session.state.destination.at(), 0);
}

#[test]
fn the_view_is_remembered() {
    let home = std::env::temp_dir().join(format!("top-session-{}", std::process::id()));
    std::fs::create_dir(&home).unwrap();
    let place = Place::of_environment(None, Some(home.clone().into())).unwrap();
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.session = {
        let beginning = Beginning {
            source: Source::of({
                let kernel = table.kernel.clone();
                move || Client::fake(&kernel)
            }),
            director: None,
            settings: settings(),
            manners: Manners::default(),
            view: View::default(),
            remembered: Some(place.clone()),
        };
        Session::begin(beginning, table.bell.clone()).unwrap()
    };
    assert_eq!(place.read(), None);
    table.keys("/web\n>");
    let deadline = Instant::now() + PATIENCE;
    while place.read().as_ref() != Some(&table.session.state.view) {
        assert!(Instant::now() < deadline, "{:?}", place.read());
        thread::sleep(Duration::from_millis(5));
    }
    let view = place.read().unwrap();
    assert_eq!((view.filter.text(), view.column), ("web", View::default().column.beside(true)));
    // A place that cannot be written is told, and no reason to end.
    std::fs::remove_dir_all(&home).unwrap();
    table.keys("R");
    table.wait_for("not remembered");
}

#[test]
fn keys_after_the_one_that_quits_are_not_obeyed() {
    let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
    table.wait_for(WEB);
    table.keys("\nd");
    table.screen();
    let inputs = ['n', 'Q', 'd', 'y'].map(|key| Input::Key(Key::Char(key)));
    assert_eq!(table.session.take_all(inputs), [Next::Continue, Next::Quit]);
    assert_eq!(table.session.state.mode, Mode::Normal);
}

#[test]
fn a_signal_ends_the_wait_for_an_order() {
    let hang = Arc::new(AtomicBool::new(false));
    let wanted = Arc::clone(&hang);
    let mut table = Table::new(|kernel| {
        Source::of(move || {
            while wanted.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            Client::fake(&kernel)
        })
    });
    table.wait_for(WEB);
    table.keys("\nd");
    table.screen();
    hang.store(true, Ordering::SeqCst);
    table.keys("y");
    let begun = Instant::now();
    assert!(matches!(table.session.end(|| true), Err(Failure::OrderUnknown)));
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    hang.store(false, Ordering::SeqCst);
}

#[test]
fn whoever_keeps_asking_for_readings_gets_no_more_than_a_fifth_of_the_time() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let mut table = Table::new(|kernel| {
        Source::of(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            thread::sleep(Duration::from_millis(50));
            Client::fake(&kernel)
        })
    });
    table.wait_for(WEB);
    let (begun, before) = (Instant::now(), count.load(Ordering::SeqCst));
    while begun.elapsed() < Duration::from_secs(1) {
        table.keys(" ");
        table.session.learn();
        thread::sleep(Duration::from_millis(5));
    }
    let most = usize::try_from(begun.elapsed().as_millis() / 250).unwrap() + 1;
    let readings = count.load(Ordering::SeqCst) - before;
    assert!((2..=most).contains(&readings), "{readings} of {most}");
}

#[test]
fn an_order_that_fails_after_the_user_has_left_is_told() {
    for (weight, is_done) in [(5, false), (1, true)] {
        let mut table = Table::new(|kernel| Source::of(move || Client::fake(&kernel)));
        table.wait_for(WEB);
        table.keys("\nd");
        let destination = "10.0.0.2:8080".parse().unwrap();
        let entry = table.kernel.initial().destination(id(WEB), destination).unwrap();
        table.kernel.initial().write(&Change::weight_of(id(WEB), &entry, weight)).unwrap();
        table.keys("y");
        let ended = table.session.end(|| false);
        match is_done {
            true => ended.unwrap(),
            false => {
                let told = ended.unwrap_err().to_string();
                assert!(told.starts_with("the last order: 10.0.0.2:8080 has weight 5"), "{told}");
            }
        }
    }
}
