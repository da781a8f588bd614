//! A state over a kernel in memory, for tests: always the same services, traffic and times.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ipvs_netlink::fake::Kernel;
use ipvs_netlink::{
    Change, Client, Connections, Destination, Rates, Scheduler, Service, ServiceId,
};
use jiff::tz::TimeZone;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::Moment;
use crate::keys::{Effect, Key, press};
use crate::manners::Manners;
use crate::reading::{Source, read};
use crate::screens;
use crate::state::director::Answer;
use crate::state::{Mode, News, Settings, State, View, Writers};

/// The kernel, and what is known of it.
pub(crate) struct Stage {
    pub(crate) kernel: Kernel,
    pub(crate) state: State,
    pub(crate) source: Source,
    pub(crate) manners: Manners,
    begun: SystemTime,
}

pub(crate) fn id(text: &str) -> ServiceId {
    text.parse().unwrap()
}

/// The settings of all stages.
pub(crate) fn settings() -> Settings {
    Settings {
        namespace: None,
        interval: Duration::from_secs(1),
        read_only: false,
        labels: Arc::default(),
        zone: TimeZone::UTC,
    }
}

pub(crate) const WEB: &str = "TCP 192.0.2.10:80";
pub(crate) const DNS: &str = "UDP [2001:db8::53]:53";

impl Stage {
    /// An empty table.
    pub(crate) fn empty() -> Self {
        let kernel = Kernel::new();
        let of = kernel.clone();
        let source = Source::of(move || Client::fake(&of));
        // 2026-11-28 12:00:00 UTC.
        let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_867_200);
        let now = Moment { instant: kernel.now(), clock: begun };
        let state = State::new(settings(), View::default(), now);
        Self { kernel, state, source, manners: Manners::default(), begun }
    }

    /// Three services with traffic, read for 12 seconds.
    pub(crate) fn new() -> Self {
        let mut stage = Self::empty();
        stage.add(Service::tcp("192.0.2.10:80".parse().unwrap()), &[(2, 1), (3, 3), (4, 0)]);
        let dns = Service::udp("[2001:db8::53]:53".parse().unwrap());
        stage.add_v6(dns.scheduler(Scheduler::ROUND_ROBIN).one_packet());
        let mail = Service::tcp("192.0.2.11:25".parse().unwrap());
        stage.add(mail.persistent(Duration::from_secs(300)), &[]);
        stage.traffic(WEB, "10.0.0.2:8080", 10);
        stage.traffic(WEB, "10.0.0.3:8080", 30);
        stage.traffic(DNS, "[2001:db8::2]:53", 1500);
        stage.connections(WEB, "10.0.0.2:8080", 12, 40);
        stage.connections(WEB, "10.0.0.3:8080", 30, 90);
        stage.connections(WEB, "10.0.0.4:8080", 7, 2);
        stage.pass(12);
        stage
    }

    pub(crate) fn add(&mut self, service: Service, destinations: &[(u8, u32)]) {
        let host = self.kernel.initial();
        let id = service.id;
        host.write(&Change::AddService(service)).unwrap();
        for (number, weight) in destinations {
            let destination = Destination::masquerade(([10, 0, 0, *number], 8080).into());
            let destination = destination.weight(*weight).thresholds(100, 50);
            host.write(&Change::AddDestination(id, destination)).unwrap();
        }
    }

    fn add_v6(&mut self, service: Service) {
        let host = self.kernel.initial();
        let id = service.id;
        host.write(&Change::AddService(service)).unwrap();
        for number in [2, 3] {
            let address = format!("[2001:db8::{number}]:53").parse().unwrap();
            let destination = Destination::masquerade(address);
            host.write(&Change::AddDestination(id, destination)).unwrap();
        }
    }

    pub(crate) fn traffic(&self, service: &str, destination: &str, per_second: u64) {
        let mut rates = Rates::default();
        rates.connections = per_second;
        rates.incoming_packets = per_second * 8;
        rates.outgoing_packets = per_second * 6;
        rates.incoming_bytes = per_second * 900;
        rates.outgoing_bytes = per_second * 40_000;
        let destination = destination.parse().unwrap();
        self.kernel.initial().set_traffic(id(service), destination, &rates).unwrap();
    }

    pub(crate) fn connections(&self, service: &str, destination: &str, active: u32, inactive: u32) {
        let mut connections = Connections::default();
        (connections.active, connections.inactive) = (active, inactive);
        let destination = destination.parse().unwrap();
        self.kernel.initial().set_connections(id(service), destination, connections).unwrap();
    }

    /// Another program makes a change.
    pub(crate) fn write(&self, change: Change) {
        self.kernel.initial().write(&change).unwrap();
    }

    pub(crate) fn weight(&self, service: &str, destination: &str, weight: u32) {
        let (service, destination) = (id(service), destination.parse().unwrap());
        let entry = self.kernel.initial().destination(service, destination).unwrap();
        self.write(Change::weight_of(service, &entry, weight));
    }

    pub(crate) fn now(&self) -> Moment {
        let clock = self.begun + self.kernel.elapsed();
        Moment { instant: self.kernel.now(), clock }
    }

    /// Reads once.
    pub(crate) fn read(&mut self) {
        self.state.now = self.now();
        let now = self.now();
        let result = read(&self.source, now, Writers::default()).map_err(|error| error.to_string());
        self.state.learn(News::Read(result));
    }

    /// Reads once, while others write: these services are not in the reading, which is not complete.
    pub(crate) fn read_without(&mut self, services: &[&str]) {
        self.state.now = self.now();
        let mut reading = read(&self.source, self.now(), Writers::default()).unwrap();
        let there =
            reading.snapshot.services().filter(|it| !services.iter().any(|l| id(l) == it.id()));
        reading.snapshot = Arc::new(there.cloned().collect());
        self.state.learn(News::Read(Ok(reading)));
    }

    /// Lets time pass, and reads every second.
    pub(crate) fn pass(&mut self, seconds: u64) {
        self.read();
        for _ in 0..seconds {
            self.kernel.advance(Duration::from_secs(1));
            self.read();
        }
    }

    /// The director says this. `destinations` is JSON.
    pub(crate) fn director(&mut self, service: &str, destinations: &str) {
        let line = format!(
            r#"{{"version":1,"answer":"status","status":{{"troubles":[],"services":[{{
                "service":"{service}","available":true,"reason":"1 of 2 live, quorum 1",
                "destinations":[{destinations}]}}]}}}}"#
        );
        let Ok(Answer::Status(status)) = Answer::of_line(line.as_bytes()) else { panic!("{line}") };
        self.state.learn(News::Director(self.now(), Ok(status)));
    }

    pub(crate) fn key(&mut self, key: Key) -> Option<Effect> {
        // A question is answered when it was seen.
        if matches!(self.state.mode, Mode::Confirm(_)) {
            self.draw(80, 24);
        }
        press(&mut self.state, key)
    }

    /// Presses characters.
    pub(crate) fn keys(&mut self, keys: &str) -> Option<Effect> {
        keys.chars().fold(None, |_, key| self.key(Key::Char(key)))
    }

    /// Draws, and returns the lines.
    pub(crate) fn draw(&mut self, width: u16, height: u16) -> String {
        let buffer = self.buffer(width, height);
        let mut text = String::new();
        for y in 0..height {
            let mut line = String::new();
            let mut x = 0;
            while x < width {
                let symbol = buffer[(x, y)].symbol();
                line += symbol;
                x += u16::try_from(unicode_width::UnicodeWidthStr::width(symbol)).unwrap().max(1);
            }
            text += line.trim_end();
            text.push('\n');
        }
        text
    }

    pub(crate) fn buffer(&mut self, width: u16, height: u16) -> ratatui::buffer::Buffer {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let (state, manners) = (&mut self.state, self.manners);
        terminal.draw(|frame| screens::draw(state, manners, frame)).unwrap();
        terminal.backend().buffer().clone()
    }
}
