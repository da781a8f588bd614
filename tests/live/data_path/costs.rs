//! What plans cost where the kernel cannot spare it.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use ipvs_netlink::{Scheduler, Service};

use super::plans::{change, establish, table, web};
use super::traffic::{IMPATIENCE, Traffic, say, under_traffic};
use super::{Lab, WEB, forwarding};

/// These refuse the clients of a server of weight 0, so that servers leave at once, and
/// connections that are just being opened to one may break.
#[test]
fn what_hashing_without_fallback_costs_is_measured() {
    for scheduler in
        [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING, Scheduler::DESTINATION_HASHING]
    {
        let mut lab = Lab::with_servers(4);
        let service = web(scheduler);
        establish(&mut lab.ipvs, &table(&service, &[(0, 1), (1, 1)]));
        let tally = under_traffic(&mut lab, IMPATIENCE, |ipvs, traffic| {
            for first in [2, 0, 2, 0] {
                let desired = table(&service, &[(first, 1), (first + 1, 1)]);
                change(ipvs, traffic, &desired, &mut Vec::new());
            }
        });
        tally.report(&format!("{scheduler} without fallback, 4 plans"));
        // Each plan cuts at most what is being opened at its moment. As much again may be a
        // machine's that stands still.
        assert!(tally.failed <= 2 * 4 * Traffic::CLIENTS, "{tally:?}");
    }
}

#[test]
fn what_a_change_of_the_scheduler_costs_is_measured() {
    let mut lab = Lab::with_servers(2);
    let servers = [(0, 1), (1, 1)];
    let schedulers = [Scheduler::ROUND_ROBIN, Scheduler::WEIGHTED_LEAST_CONNECTION];
    establish(&mut lab.ipvs, &table(&web(schedulers[1]), &servers));
    let mut held = lab.hold(4, WEB);
    let tally = under_traffic(&mut lab, IMPATIENCE, |ipvs, traffic| {
        for scheduler in schedulers.iter().cycle().take(10) {
            change(ipvs, traffic, &table(&web(*scheduler), &servers), &mut held);
        }
    });
    tally.report("10 changes of the scheduler");
}

/// A client of UDP that keeps its port stays with its server, at weight 0 too, so the
/// server is deleted at once. Then it depends on a sysctl whether the client moves.
#[test]
fn what_replacing_the_servers_of_udp_costs_is_measured() {
    for expire in ["0", "1"] {
        let mut lab = Lab::with_servers(0);
        for n in 0..2 {
            forwarding::serve_udp(&lab.namespace, n);
        }
        let sysctl = "/proc/sys/net/ipv4/vs/expire_nodest_conn";
        lab.namespace.run(|| fs::write(sysctl, expire)).unwrap();
        let service = Service::udp(WEB).scheduler(Scheduler::ROUND_ROBIN);
        establish(&mut lab.ipvs, &table(&service, &[(0, 1)]));
        let client = lab.namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        client.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert!(ask(&client, WEB), "before");
        establish(&mut lab.ipvs, &table(&service, &[(1, 1)]));
        let lost = (0..5).filter(|_| !ask(&client, WEB)).count();
        let what = format!("UDP server replaced, expire_nodest_conn={expire}");
        say(&format!("{what}: {lost} of 5 datagrams of an old client lost"));
        let fresh = lab.namespace.run(|| UdpSocket::bind("127.0.0.1:0")).unwrap();
        fresh.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        assert!(ask(&fresh, WEB), "a new client is served");
        assert!(lost <= if expire == "1" { 1 } else { 5 }, "{what}: {lost}");
    }
}

fn ask(socket: &UdpSocket, to: SocketAddr) -> bool {
    // What IPVS drops on its way out is an error at once.
    socket.send_to(b"who is there?", to).is_ok() && socket.recv_from(&mut [0; 16]).is_ok()
}
