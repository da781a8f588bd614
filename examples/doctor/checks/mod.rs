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
mod writers;

use super::finding::Check;
use super::host::Part::{
    Listeners, Modules, Processes, Routes, Settings, Sysctls, Table, UnknownProtocols,
};

/// All checks, in the order of the report.
pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "modules",
        about: "IPVS, and modules of schedulers in use that a restart would not find",
        needs: &[Table, Modules, Processes],
        look: modules::modules,
    },
    Check {
        name: "ftp",
        about: "masqueraded FTP without ip_vs_ftp",
        needs: &[Table, Modules],
        look: modules::ftp,
    },
    Check {
        name: "empty-table",
        about: "a table without services",
        needs: &[Table],
        look: table::empty,
    },
    Check {
        name: "table",
        about: "settings of services and destinations that cannot work or have no effect",
        needs: &[Table],
        look: table::settings,
    },
    Check {
        name: "weight-0",
        about: "weight 0 under dh, sh and mh, which refuse the clients of that destination",
        needs: &[Table],
        look: table::weight_0,
    },
    Check {
        name: "ports",
        about: "direct routing and tunnels with ports that have no effect",
        needs: &[Table],
        look: table::ports,
    },
    Check {
        name: "mixed-families",
        about: "destinations of the other family, which keep the sync daemons from starting",
        needs: &[Table],
        look: table::mixed_families,
    },
    Check {
        name: "ip-forward",
        about: "masquerading to other hosts without ip_forward",
        needs: &[Table, Routes, Sysctls],
        look: forwarding::ip_forward,
    },
    Check {
        name: "route",
        about: "destinations that the kernel has no route to",
        needs: &[Table, Routes],
        look: forwarding::routes,
    },
    Check {
        name: "rp-filter",
        about: "tunnel interfaces of a real server that drop what comes out of the tunnel",
        needs: &[Table, Sysctls],
        look: tunnels::rp_filter,
    },
    Check {
        name: "arp-ignore",
        about: "who answers ARP for a virtual address: a director must, a real server must not",
        needs: &[Table, Routes, Sysctls, Processes],
        look: arp::ignore,
    },
    Check {
        name: "arp-announce",
        about: "real servers that announce the virtual address in their own ARP requests",
        needs: &[Table, Sysctls],
        look: arp::announce,
    },
    Check {
        name: "virtual-address",
        about: "virtual addresses that are no addresses of this host",
        needs: &[Table, Routes, Processes],
        look: addresses::not_local,
    },
    Check {
        name: "shadowed-port",
        about: "programs that listen where IPVS takes their clients",
        needs: &[Table, Routes, Listeners],
        look: addresses::shadowed,
    },
    Check {
        name: "open-port",
        about: "ports of this host that are open at a virtual address",
        needs: &[Table, Routes, Listeners],
        look: addresses::open,
    },
    Check {
        name: "local-destination",
        about: "destinations that are addresses of this host",
        needs: &[Table, Routes, Settings],
        look: addresses::local_destinations,
    },
    Check {
        name: "tunnel-mtu",
        about: "tunnels whose packets do not fit the way to the server",
        needs: &[Table, Routes, Settings],
        look: tunnels::mtu,
    },
    Check {
        name: "tunnel-device",
        about: "tunnels that nothing on this host takes packets out of",
        needs: &[Table, UnknownProtocols],
        look: tunnels::device,
    },
    Check {
        name: "conntrack",
        about: "net.ipv4.vs.conntrack beside stateful rules, and a full table of conntrack",
        needs: &[Table, Settings, Sysctls],
        look: settings::conntrack,
    },
    Check {
        name: "conn-reuse-mode",
        about: "what becomes of a client that uses its port again",
        needs: &[Table, Settings],
        look: settings::conn_reuse_mode,
    },
    Check {
        name: "expire-nodest-conn",
        about: "clients of a removed destination, which wait in vain",
        needs: &[Table, Settings],
        look: settings::expire_nodest_conn,
    },
    Check {
        name: "expire-quiescent-template",
        about: "clients that persistence keeps at a destination of weight 0",
        needs: &[Table, Settings],
        look: drains::expire_quiescent_template,
    },
    Check {
        name: "persistent-drain",
        about: "drains that persistence never lets end",
        needs: &[Table, Settings],
        look: drains::persistent,
    },
    Check {
        name: "sloppy-tcp",
        about: "connections made from packets in mid-stream",
        needs: &[Table, Settings],
        look: settings::sloppy_tcp,
    },
    Check {
        name: "udp-stickiness",
        about: "UDP clients that never move to another destination",
        needs: &[Table],
        look: udp::stickiness,
    },
    Check {
        name: "run-estimation",
        about: "counters that stand still",
        needs: &[Settings],
        look: settings::run_estimation,
    },
    Check {
        name: "estimation-cost",
        about: "what the kernel pays for its counters",
        needs: &[Table, Settings],
        look: capacity::estimation,
    },
    Check {
        name: "connection-table",
        about: "the size of the table of connections against their number",
        needs: &[Table],
        look: capacity::connection_table,
    },
    Check {
        name: "writers",
        about: "programs that write the same table",
        needs: &[Processes],
        look: writers::writers,
    },
];
