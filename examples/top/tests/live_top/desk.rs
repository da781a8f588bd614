//! The real director, the program on the screen of its service, and the kernel's table.

use director::status::{DestinationState, DestinationStatus};
use ipvs_netlink::{Client, ServiceId};

use crate::daemon::{Daemon, wait_for};
use crate::greeting::{Server, serve};
use crate::network::Namespace;
use crate::scene::{WEB, namespace, server};
use crate::tmux::Tmux;

/// The service of the director, two servers that listen, and the program on the screen of the service.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) tmux: Tmux,
    pub(crate) daemon: Daemon,
    pub(crate) ipvs: Client,
    pub(crate) home: Namespace,
    _servers: [Server; 2],
}

impl Desk {
    pub(crate) fn new() -> Self {
        let home = namespace();
        let servers = [8000, 8001].map(|port| serve(&home, server(port), "x").unwrap());
        let daemon = Daemon::start(&home);
        for port in [8000, 8001] {
            daemon.wait_until(port, "up", |it| it.state == DestinationState::Up);
        }
        daemon.wait_until(8002, "down", |it| it.state == DestinationState::Down);
        let ipvs = Client::in_namespace_fd(&home).unwrap();
        let tmux = Tmux::start(&home, 200, 40);
        tmux.top_with(&format!("--forget --director {}", daemon.socket().display()));
        tmux.wait_text("1 dead");
        tmux.press("Enter");
        tmux.wait_text("director: 2 of 3 live");
        tmux.press("g");
        Self { tmux, daemon, ipvs, home, _servers: servers }
    }

    /// The weight in the kernel's table.
    pub(crate) fn weight(&mut self, port: u16) -> Option<u32> {
        let id = ServiceId::tcp(WEB);
        let snapshot = self.ipvs.snapshot_of(&[id]).unwrap();
        let entry = snapshot.service(id).unwrap().destination(server(port).into())?;
        Some(entry.destination.weight)
    }

    /// Presses a key, and answers its question with yes.
    pub(crate) fn order(&self, key: &str, question: &str) {
        self.tmux.press(key);
        self.confirm(question);
    }

    /// Waits for a question, and answers it with yes.
    pub(crate) fn confirm(&self, question: &str) {
        let asked = self.tmux.wait_text("y yes");
        assert!(asked.contains(question), "{asked}");
        assert!(asked.contains("The director carries it out."), "{asked}");
        self.tmux.press("y");
        self.tmux.wait_for("an end", |screen| {
            !screen.contains("y yes") && !screen.contains("being carried out")
        });
    }

    /// Waits until the director, the kernel and the screen agree about the server on a port, and returns
    /// what the director says. `reason` is the end of what the screen says of it; if empty, all.
    #[track_caller]
    pub(crate) fn agree(
        &mut self,
        port: u16,
        state: DestinationState,
        (standing, weight): (&str, u32),
        reason: &str,
    ) -> DestinationStatus {
        let said = self
            .daemon
            .wait_until(port, state.name(), |it| it.state == state && it.in_table == Some(weight));
        wait_for(&format!("weight {weight}"), || (self.weight(port) == Some(weight)).then_some(()));
        let weight = weight.to_string();
        self.tmux.wait_for(&format!("{standing}, {weight}: {reason:?}"), |screen| {
            let row = row(screen, port);
            let is_so = row.split_whitespace().skip(1).take(2).eq([standing, weight.as_str()]);
            // The reason is after the forwarding method, in the last column.
            let shown = row.split_once("Masq").unwrap_or_default().1.trim();
            is_so && shown.ends_with(reason) && shown.is_empty() == reason.is_empty()
        });
        said
    }
}

/// The line of the screen about the server on a port.
pub(crate) fn row(screen: &str, port: u16) -> String {
    let address = server(port).to_string();
    let is_its = |line: &&str| line.split_whitespace().next() == Some(&address);
    screen.lines().find(is_its).unwrap_or_default().to_owned()
}
