//! The checks: each decides from the [`Host`](super::host::Host) alone.

mod addresses;
mod arp;
mod capacity;
mod drains;
mod forwarding;
mod modules;
mod settings;
mod table;
mod tunnels;
mod udp;
pub(crate) mod writers;

use super::finding::Check;

/// All checks, in the order of the report.
pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "modules",
        about: "IPVS, and modules of schedulers in use that a restart would not find",
        look: modules::modules,
    },
    Check { name: "ftp", about: "masqueraded FTP without ip_vs_ftp", look: modules::ftp },
    Check {
        name: "table",
        about: "settings of services and destinations that cannot work or have no effect",
        look: table::settings,
    },
    Check {
        name: "weight-0",
        about: "weight 0 under dh, sh and mh, which refuse the clients of that destination",
        look: table::weight_0,
    },
    Check {
        name: "ports",
        about: "direct routing and tunnels with ports that have no effect",
        look: table::ports,
    },
    Check {
        name: "mixed-families",
        about: "destinations of the other family, which keep the sync daemons from starting",
        look: table::mixed_families,
    },
    Check {
        name: "ip-forward",
        about: "masquerading to other hosts without ip_forward",
        look: forwarding::ip_forward,
    },
    Check {
        name: "route",
        about: "destinations that the kernel has no route to",
        look: forwarding::routes,
    },
    Check {
        name: "rp-filter",
        about: "tunnel interfaces of a real server that drop what comes out of the tunnel",
        look: forwarding::rp_filter,
    },
    Check {
        name: "arp-ignore",
        about: "who answers ARP for a virtual address: a director must, a real server must not",
        look: arp::ignore,
    },
    Check {
        name: "arp-announce",
        about: "real servers that announce the virtual address in their own ARP requests",
        look: arp::announce,
    },
    Check {
        name: "virtual-address",
        about: "virtual addresses that are no addresses of this host",
        look: addresses::not_local,
    },
    Check {
        name: "shadowed-port",
        about: "programs that listen where IPVS takes their clients",
        look: addresses::shadowed,
    },
    Check {
        name: "open-port",
        about: "ports of this host that are open at a virtual address",
        look: addresses::open,
    },
    Check {
        name: "local-destination",
        about: "destinations that are addresses of this host",
        look: addresses::local_destinations,
    },
    Check {
        name: "tunnel-mtu",
        about: "tunnels whose packets do not fit the way to the server",
        look: tunnels::mtu,
    },
    Check {
        name: "tunnel-device",
        about: "tunnels that nothing on this host takes packets out of",
        look: tunnels::device,
    },
    Check {
        name: "conntrack",
        about: "net.ipv4.vs.conntrack beside stateful rules, and a full table of conntrack",
        look: settings::conntrack,
    },
    Check {
        name: "conn-reuse-mode",
        about: "what becomes of a client that uses its port again",
        look: settings::conn_reuse_mode,
    },
    Check {
        name: "expire-nodest-conn",
        about: "clients of a removed destination, which wait in vain",
        look: settings::expire_nodest_conn,
    },
    Check {
        name: "expire-quiescent-template",
        about: "clients that persistence keeps at a destination of weight 0",
        look: drains::expire_quiescent_template,
    },
    Check {
        name: "persistent-drain",
        about: "drains that persistence never lets end",
        look: drains::persistent,
    },
    Check {
        name: "sloppy-tcp",
        about: "connections made from packets in mid-stream",
        look: settings::sloppy_tcp,
    },
    Check {
        name: "udp-stickiness",
        about: "UDP clients that never move to another destination",
        look: udp::stickiness,
    },
    Check {
        name: "run-estimation",
        about: "counters that stand still",
        look: settings::run_estimation,
    },
    Check {
        name: "estimation-cost",
        about: "what the kernel pays for its counters",
        look: capacity::estimation,
    },
    Check {
        name: "connection-table",
        about: "the size of the table of connections against their number",
        look: capacity::connection_table,
    },
    Check { name: "writers", about: "programs that write the same table", look: writers::writers },
];
