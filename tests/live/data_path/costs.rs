//! Connections that plans break because the kernel offers no other way.

use std::fs;
use std::net::UdpSocket;

use ipvs_netlink::{Scheduler, Service};

use super::plans::{change, establish, table, web};
use super::traffic::{IMPATIENCE, Traffic, say, under_traffic};
use super::{Lab, WEB, forwarding};

/// These schedulers refuse the clients of a server of weight 0. Plans therefore delete servers at
/// once, and connections that are being opened to them may fail.
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
        assert!(tally.failed.len() <= 2 * 4 * Traffic::CLIENTS, "{tally:?}");
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

/// A UDP client that keeps its port keeps its server, even at weight 0, so plans delete the server
/// at once. A sysctl decides whether the client then gets another server.
#[test]
fn what_replacing_the_servers_of_udp_costs_is_measured() {
    for (expire, expected) in [("0", 5..=5), ("1", 0..=1)] {
        let mut lab = Lab::with_servers(0);
        for n in 0..2 {
            forwarding::serve_udp(lab.namespace, n);
        }
        let sysctl = "/proc/sys/net/ipv4/vs/expire_nodest_conn";
        lab.namespace.run(|| fs::write(sysctl, expire)).unwrap();
        let service = Service::udp(WEB).scheduler(Scheduler::ROUND_ROBIN);
        establish(&mut lab.ipvs, &table(&service, &[(0, 1)]));
        let client = forwarding::udp_client(&lab);
        assert!(is_served(&client), "before");
        establish(&mut lab.ipvs, &table(&service, &[(1, 1)]));
        let lost = (0..5).filter(|_| !is_served(&client)).count();
        let what = format!("UDP server replaced, expire_nodest_conn={expire}");
        say(&format!("{what}: {lost} of 5 datagrams of an old client lost"));
        assert!(expected.contains(&lost), "{what}: {lost}");
        assert!(is_served(&forwarding::udp_client(&lab)), "a new client");
    }
}

fn is_served(client: &UdpSocket) -> bool {
    // If IPVS drops an outgoing packet, `send` fails at once.
    client.send_to(b"who is there?", WEB).is_ok() && client.recv_from(&mut [0; 16]).is_ok()
}
