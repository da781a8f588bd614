//! Cluster IPs as local addresses.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use rtnetlink::RouteMessageBuilder;
use rtnetlink::packet_route::route::{RouteScope, RouteType};

use super::network::Namespace;

/// The index of the loopback interface in every network namespace.
const LOOPBACK: u32 = 1;

/// The routing table of local addresses (`include/uapi/linux/rtnetlink.h`: `RT_TABLE_LOCAL`).
const LOCAL_TABLE: u32 = 255;

/// Makes 10.96.0.0/12 local, because IPVS takes packets on their way to a local socket. No interface has these
/// addresses.
///
/// # Errors
///
/// The kernel refuses.
pub(crate) fn make_cluster_ips_local(node: &Namespace) -> io::Result<()> {
    node.configure(async |links| {
        let route = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(Ipv4Addr::new(10, 96, 0, 0).into(), 12)
            .map_err(|error| rtnetlink::Error::NamespaceError(error.to_string()))?
            .kind(RouteType::Local)
            .scope(RouteScope::Host)
            .table_id(LOCAL_TABLE)
            .output_interface(LOOPBACK);
        links.route().add(route.build()).execute().await
    })
}
