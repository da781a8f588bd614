//! The command line.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
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

A * marks the destinations that the connection can go to.

Exit codes, of the answer without --if: 0 the connection goes to a destination, 1 failure, 2 wrong arguments, 3 inputs that are
unknown decide where it goes, since the kernel does not show them or they could not be read, 4 it goes
nowhere, 5 the kernel would refuse the change of --if, 6 other programs kept writing the table"
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
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address_and_port)]
    to: Option<SocketAddr>,
    /// With a firewall mark: the protocol of the packets, TCP by default
    #[arg(long, value_parser = protocol)]
    protocol: Option<Protocol>,
    /// Also say how many clients this change would move, and where the client would go then
    #[arg(long = "if", value_name = "IPVSADM COMMAND", allow_hyphen_values = true)]
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
    /// The network namespace: a name of `ip netns`, or a file such as /run/netns/blue
    #[arg(long, visible_alias = "netns", value_name = "NAME|FILE", value_parser = namespace)]
    pub(crate) namespace: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn attempt(&self) -> Attempt {
        let (client, port) = self.client;
        let mut attempt = Attempt::new(client, self.service);
        attempt.client_port = port;
        attempt.address = self.to.or(attempt.address);
        attempt.protocol = self.protocol.unwrap_or(attempt.protocol);
        attempt
    }

    /// Refuses options that the service leaves without a meaning.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let is_address = matches!(self.service, ServiceId::Address { .. });
        if is_address && (self.to.is_some() || self.protocol.is_some()) {
            let message = "--to and --protocol are for a firewall mark: the service has both";
            return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(())
    }
}

fn client(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let port_of = |address: SocketAddr| match address.port() {
        0 => Err("no client has port 0".to_owned()),
        port => Ok((address.ip(), Some(port))),
    };
    let (address, port) = match (text.parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(address), _) => (address, None),
        (_, Ok(address)) => port_of(address)?,
        _ => return Err("must be an address, or an address and port".to_owned()),
    };
    // Servers for both families write IPv4 clients so.
    let address = address.to_canonical();
    if address.is_unspecified() || address.is_multicast() {
        return Err("no client has this address".to_owned());
    }
    Ok((address, port))
}

fn address_and_port(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "needs an address and a port, as in 192.0.2.10:80".to_owned())
}

fn namespace(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("must be a name or a file".to_owned()),
        file if file.contains('/') => Ok(file.into()),
        name => Ok(PathBuf::from("/run/netns").join(name)),
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
