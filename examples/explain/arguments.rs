//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Parser;
use ipvs_netlink::explain::Attempt;
use ipvs_netlink::{Change, DestinationId, Protocol, ServiceId};

/// Says which destination the kernel chooses for a new connection of a client, and why.
///
/// Changes nothing. Needs CAP_NET_ADMIN and a kernel with IPVS.
#[derive(Debug, Parser)]
#[command(
    name = "explain",
    after_help = "Examples:
  explain 198.51.100.7 \"TCP 192.0.2.10:80\"
  explain 198.51.100.7:40000 \"FWM 5\" --to 192.0.2.10:80
  explain 198.51.100.7 \"TCP 192.0.2.10:80\" --if \"ipvsadm -d -t 192.0.2.10:80 -r 10.0.0.2:80\"

Exit codes: 0 the connection goes to a destination, 1 failure, 2 wrong arguments, 3 inputs that the
kernel does not show decide where it goes, 4 it goes nowhere, 6 other programs kept writing the table"
)]
pub(crate) struct Arguments {
    /// The client: an address, or an address and port such as 198.51.100.7:40000 or
    /// [2001:db8::7]:40000
    #[arg(value_name = "CLIENT", value_parser = client)]
    client: (IpAddr, Option<u16>),
    /// The service that the client connects to: "TCP 192.0.2.10:80", "FWM 5", "FWM 5 IPv6"
    #[arg(value_name = "SERVICE")]
    service: ServiceId,
    /// With a firewall mark: the address and port that the client connects to
    #[arg(long, value_name = "ADDRESS:PORT")]
    to: Option<SocketAddr>,
    /// With a firewall mark: the protocol of the packets
    #[arg(long, default_value = "TCP", value_parser = protocol)]
    protocol: Protocol,
    /// Also say how many clients this change would move, and where the client would go then
    #[arg(long = "if", value_name = "IPVSADM COMMAND")]
    pub(crate) change: Option<Change>,
    /// Take the default table sizes if the kernel's configuration is not in /boot
    #[arg(long)]
    pub(crate) default_tables: bool,
    /// The table size of sh, if it is not in /boot: CONFIG_IP_VS_SH_TAB_BITS
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(4..=20))]
    pub(crate) sh_bits: Option<u8>,
    /// The table size of mh, if it is not in /boot: CONFIG_IP_VS_MH_TAB_INDEX
    #[arg(long, value_name = "INDEX", value_parser = clap::value_parser!(u8).range(8..=17))]
    pub(crate) mh_index: Option<u8>,
    /// The last weight of a destination that was not 0, for mh; 0 if it was added with weight 0
    #[arg(long, value_name = "ADDRESS:PORT=WEIGHT", value_parser = last_weight)]
    pub(crate) last_weight: Vec<(DestinationId, u32)>,
    /// The network namespace, such as /run/netns/blue
    #[arg(long, value_name = "FILE")]
    pub(crate) namespace: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn attempt(&self) -> Attempt {
        let (client, port) = self.client;
        let mut attempt = Attempt::new(client, self.service);
        attempt.client_port = port;
        match (self.service, self.to) {
            (ServiceId::Fwmark { .. }, Some(to)) => attempt.to(to).protocol(self.protocol),
            (ServiceId::Fwmark { .. }, None) => attempt.protocol(self.protocol),
            _ => attempt,
        }
    }
}

fn client(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let port_of = |address: SocketAddr| match address.port() {
        0 => Err("no client has port 0".to_owned()),
        port => Ok((address.ip(), Some(port))),
    };
    match (text.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(address), _) => Ok((address, None)),
        (_, Ok(address)) => port_of(address),
        _ => Err("must be an address, or an address and port".to_owned()),
    }
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let known = [Protocol::TCP, Protocol::UDP, Protocol::SCTP];
    let named = known.into_iter().find(|it| it.to_string().eq_ignore_ascii_case(text));
    named.ok_or_else(|| "must be TCP, UDP or SCTP".to_owned())
}

fn last_weight(text: &str) -> Result<(DestinationId, u32), String> {
    let (id, weight) = text.rsplit_once('=').ok_or("must be ADDRESS:PORT=WEIGHT")?;
    let id = id.parse::<DestinationId>().map_err(|error| error.to_string())?;
    let weight = weight.parse().map_err(|_| "the weight must be a number".to_owned())?;
    Ok((id, weight))
}
