//! Every key, as a terminal sends it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use ipvs_netlink::ServiceId;
use top::keys::{BINDINGS, Key};

use crate::greeting::{Connection, serve};
use crate::scene::{Scene, WEB, server};
use crate::tmux::{PATIENCE, Tmux};

/// A terminal, and the keys that were pressed.
struct Keyboard {
    tmux: Tmux,
    pressed: RefCell<HashSet<Key>>,
}

impl Keyboard {
    fn press(&self, key: Key) {
        let name = match key {
            Key::Char(' ') => "Space".to_owned(),
            Key::Char(character) => character.to_string(),
            Key::Control(character) => format!("C-{character}"),
            Key::Enter => "Enter".to_owned(),
            Key::Escape => "Escape".to_owned(),
            Key::Backspace => "BSpace".to_owned(),
            Key::Up => "Up".to_owned(),
            Key::Down => "Down".to_owned(),
            Key::Left => "Left".to_owned(),
            Key::Right => "Right".to_owned(),
            Key::PageUp => "PPage".to_owned(),
            Key::PageDown => "NPage".to_owned(),
            Key::Home => "Home".to_owned(),
            Key::End => "End".to_owned(),
            Key::Function(number) => format!("F{number}"),
        };
        self.pressed.borrow_mut().insert(key);
        self.tmux.press(&name);
    }

    fn type_all(&self, text: &str) {
        text.chars().for_each(|character| self.press(Key::Char(character)));
    }

    /// Presses a key, and waits for what comes of it.
    fn see(&self, key: Key, text: &str) -> String {
        self.press(key);
        self.tmux.wait_text(text)
    }
}

const MAIL_TITLE: &str = "TCP 127.0.0.80:25   ";
const WEB_TITLE: &str = "TCP 127.0.0.80:80   ";
const DNS_TITLE: &str = "UDP 127.0.0.80:53   ";
const OVERVIEW: &str = "top: services";

#[test]
fn every_key_does_what_the_help_says() {
    use Key::{Char, Control};
    let mut scene = Scene::new();
    let _servers = [8000, 8001].map(|port| serve(&scene.home, server(port), "x").unwrap());
    let tmux = Tmux::start(&scene.home, 80, 24);
    tmux.top("--forget --sort service");
    let keyboard = Keyboard { tmux, pressed: RefCell::default() };
    let see = |key, text: &str| keyboard.see(key, text);
    see(Char('g'), "3 services");

    walk(&keyboard);
    for (open, back) in [
        (Key::Enter, Char('q')),
        (Key::Right, Key::Escape),
        (Char('l'), Key::Left),
        (Key::Enter, Char('h')),
    ] {
        see(open, MAIL_TITLE);
        see(back, OVERVIEW);
    }
    for key in [Char('?'), Key::Function(1)] {
        see(key, "this help");
        see(Char('q'), OVERVIEW);
    }
    see(Char('c'), "TCP 127.0.0.80:25: connections");
    see(Char('q'), OVERVIEW);

    // Sorting and filtering.
    see(Char('<'), "COUNTED");
    see(Char('>'), "SERVICE\u{2191}");
    see(Char('R'), "SERVICE\u{2193}");
    see(Char('R'), "SERVICE\u{2191}");
    see(Char('/'), "Enter: take");
    keyboard.type_all("udpx");
    see(Key::Backspace, "1 of 3 services");
    let filtered = see(Key::Enter, "? help");
    assert!(filtered.contains("UDP 127.0.0.80:53") && !filtered.contains("127.0.0.80:25"));
    see(Char('/'), "Enter: take");
    see(Control('u'), "3 services");
    see(Key::Enter, "? help");
    see(Char('p'), "order held");
    see(Char('p'), "? help");

    orders(&keyboard, &mut scene);

    // Changes.
    let changes = see(Char('e'), "since the last look");
    assert!(changes.contains("weight 1 -> 0") && changes.contains("weight 5 -> 1"), "{changes}");
    see(Char('m'), "0 since the last look");
    see(Char('q'), OVERVIEW);

    // These show nothing that was not there.
    for key in [Char(' '), Control('l')] {
        see(key, OVERVIEW);
    }
    see(Control('z'), "Stopped");
    keyboard.tmux.line("fg");
    keyboard.tmux.wait_text(OVERVIEW);
    // The shell has told the end of what was stopped.
    keyboard.press(Char('Q'));
    keyboard.tmux.wait_for("its end", |screen| !screen.contains("top:"));
    keyboard.tmux.line("clear");
    keyboard.tmux.top("--forget");
    see(Control('c'), "ended 0");

    let pressed = keyboard.pressed.borrow();
    let all = BINDINGS.iter().flat_map(|binding| binding.keys);
    let left: Vec<_> = all.filter(|key| !pressed.contains(key)).collect();
    assert!(left.is_empty(), "not pressed: {left:?}");
}

/// Each move, seen by what is opened after it.
fn walk(keyboard: &Keyboard) {
    use Key::{Char, Control};
    for (key, title) in [
        (Char('j'), WEB_TITLE),
        (Char('k'), MAIL_TITLE),
        (Key::Down, WEB_TITLE),
        (Key::Up, MAIL_TITLE),
        (Char('G'), DNS_TITLE),
        (Char('g'), MAIL_TITLE),
        (Key::End, DNS_TITLE),
        (Key::Home, MAIL_TITLE),
        (Control('d'), DNS_TITLE),
        (Control('u'), MAIL_TITLE),
        (Control('f'), DNS_TITLE),
        (Control('b'), MAIL_TITLE),
        (Key::PageDown, DNS_TITLE),
        (Key::PageUp, MAIL_TITLE),
    ] {
        keyboard.press(key);
        keyboard.see(Key::Enter, title);
        keyboard.see(Char('q'), OVERVIEW);
    }
}

/// Orders, and what the kernel has after them.
fn orders(keyboard: &Keyboard, scene: &mut Scene) {
    use Key::Char;
    let see = |key, text: &str| keyboard.see(key, text);
    see(Char('g'), OVERVIEW);
    keyboard.press(Char('j'));
    see(Key::Enter, WEB_TITLE);
    keyboard.press(Char('g'));

    see(Char('d'), "Drain 127.0.0.1:8000");
    see(Char('n'), "nothing was changed");
    assert_eq!(scene.weight(8000), 1);
    see(Char('d'), "Drain 127.0.0.1:8000");
    see(Char('y'), "drained");
    assert_eq!(scene.weight(8000), 0);
    see(Char('r'), "weight of 127.0.0.1:8000: 1");
    see(Key::Enter, "y yes");
    keyboard.press(Char('y'));
    keyboard.tmux.wait_for("weight", |screen| !screen.contains("drained") && is_done(screen));
    assert_eq!(scene.weight(8000), 1);

    see(Char('w'), "weight of 127.0.0.1:8000: 1");
    keyboard.press(Key::Backspace);
    keyboard.type_all("5");
    see(Key::Enter, "Give weight 5");
    keyboard.press(Char('y'));
    keyboard.tmux.wait_for("an end", is_done);
    assert_eq!(scene.weight(8000), 5);
    see(Char('u'), "y yes");
    keyboard.press(Char('y'));
    keyboard.tmux.wait_for("an end", is_done);
    assert_eq!(scene.weight(8000), 1);

    // Counters.
    let from = Ipv4Addr::LOCALHOST.into();
    for _ in 0..3 {
        Connection::open(&scene.home, from, WEB, PATIENCE).unwrap().close().unwrap();
    }
    keyboard.tmux.wait_text("counted: 3 connections");
    see(Char('z'), "y yes");
    see(Char('y'), "counted: 0 connections");
    let entry = scene.ipvs.services().unwrap();
    let web = entry.iter().find(|it| it.service.id == ServiceId::tcp(WEB)).unwrap();
    assert_eq!(web.stats.connections, 0);
    std::thread::sleep(Duration::from_millis(100));
    see(Char('q'), OVERVIEW);
}

/// Whether an order was carried out, and its end told.
fn is_done(screen: &str) -> bool {
    !screen.contains("y yes") && !screen.contains("being carried out")
}
