//! Connections whose rows do not name their service.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ipvs_netlink::{AddressFamily, Destination, Scheduler, Service};
use nix::sys::socket::{SockFlag, SockType, setsockopt, socket, sockopt};

use crate::greeting::{Connection, serve};
use crate::network::Namespace;
use crate::scene::{LOCAL, Scene, WEB, server};
use crate::tmux::{PATIENCE, Tmux};

const MARK: u32 = 7;
/// An address without a service of its own.
const MARKED: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 81)), 81);
/// The address of a service at port 0.
const ANY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 90));

/// Connects with the mark on all packets.
fn marked(home: &Namespace) -> Connection {
    let family = nix::sys::socket::AddressFamily::Inet;
    let socket = home.run(|| {
        let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        setsockopt(&socket, sockopt::Mark, &MARK)?;
        Ok::<_, std::io::Error>(socket)
    });
    Connection::over(socket.unwrap(), MARKED, PATIENCE).unwrap()
}

#[test]
fn connections_of_a_firewall_mark_and_of_port_0_are_shown() {
    let mut scene = Scene::new();
    let by_mark = Service::fwmark(MARK, AddressFamily::Ipv4);
    // The kernel takes port 0 for persistent services only.
    let any = Service::tcp(SocketAddr::new(ANY, 0)).persistent(Duration::from_secs(60));
    for (service, port) in [(by_mark, 8000), (any, 0)] {
        scene.ipvs.add_service(&service.clone().scheduler(Scheduler::ROUND_ROBIN)).unwrap();
        let destination = Destination::masquerade(server(port));
        scene.ipvs.add_destination(service.id, &destination).unwrap();
    }
    let _servers = [8000, 8001].map(|port| serve(&scene.home, server(port), "x").unwrap());
    let visit = |to| Connection::open(&scene.home, LOCAL, to, PATIENCE).unwrap();
    let _marked = [marked(&scene.home), marked(&scene.home)];
    let _any = visit(SocketAddr::new(ANY, 8001));

    let tmux = Tmux::start(&scene.home, 100, 40);
    let open = |filter: &str| {
        tmux.top(&format!("--forget --filter {filter}"));
        tmux.wait_text("1 of 5 services");
        tmux.press("Enter");
    };
    let back = || {
        tmux.press("Q");
        tmux.wait_text("ended 0");
        tmux.line("clear");
    };

    open("fwm");
    let screen = tmux.wait_text("127.0.0.1:8000: ESTABLISHED 2");
    assert!(screen.contains("\nESTABLISHED 2\n"), "{screen}");
    assert!(screen.contains("2 active"), "{screen}");
    tmux.press("Enter");
    let screen = tmux.wait_text("FWM 7 -> 127.0.0.1:8000");
    assert!(!screen.contains("no connections"), "{screen}");
    let screen = tmux.wait_text("2 connections");
    assert_eq!(screen.matches("127.0.0.81:81").count(), 2, "{screen}");
    back();

    open("127.0.0.90");
    tmux.wait_text("127.0.0.1:0: ESTABLISHED 1");
    tmux.press("Enter");
    let screen = tmux.wait_text("1 connection, 1 template of persistence");
    assert!(screen.contains("127.0.0.90:8001"), "{screen}");
    back();

    // The destination of the mark is one of the web, too.
    let _web = [visit(WEB), visit(WEB)];
    for (filter, all) in [("fwm", 3), ("127.0.0.80:80", 2)] {
        open(filter);
        let screen = tmux.wait_text("1 perhaps of another service: the kernel does not show which");
        assert!(screen.contains(&format!("\nESTABLISHED {all}\n")), "{screen}");
        back();
    }
}
