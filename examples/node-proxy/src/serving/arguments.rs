use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use clap::Args;

/// Where health and metrics are served.
#[derive(Args, Clone, Debug)]
pub struct ServingArguments {
    /// Serve /healthz and /livez here. 0.0.0.0 stands for all addresses of both families, and an empty text
    /// for nowhere.
    #[arg(long, value_name = "IP:PORT", default_value = "0.0.0.0:10256", value_parser = health)]
    pub healthz_bind_address: BindAddress,
    /// Serve /metrics here; an empty text stands for nowhere.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:10249", value_parser = metrics)]
    pub metrics_bind_address: BindAddress,
    /// Show metrics of each destination too. In large clusters these are many lines.
    #[arg(long)]
    pub metrics_destinations: bool,
}

/// An address to listen at, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindAddress(pub Option<SocketAddr>);

fn health(text: &str) -> Result<BindAddress, String> {
    parse(text, 10256)
}

fn metrics(text: &str) -> Result<BindAddress, String> {
    parse(text, 10249)
}

/// Reads an address with or without a port, as kube-proxy does.
fn parse(text: &str, port: u16) -> Result<BindAddress, String> {
    if text.is_empty() {
        return Ok(BindAddress(None));
    }
    let with_port = SocketAddr::from_str(text);
    let address = with_port.or_else(|_| IpAddr::from_str(text).map(|ip| (ip, port).into()));
    address.map(|it| BindAddress(Some(it))).map_err(|_| "must be IP:PORT or IP".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_lack_the_port() {
        for (text, expected) in [
            ("", None),
            ("192.0.2.1", Some("192.0.2.1:10256")),
            ("192.0.2.1:80", Some("192.0.2.1:80")),
            ("::", Some("[::]:10256")),
            ("[::1]:80", Some("[::1]:80")),
        ] {
            let expected = expected.map(|it| it.parse().unwrap());
            assert_eq!(health(text), Ok(BindAddress(expected)), "{text}");
        }
        for text in ["localhost:80", ":80", "192.0.2.1:", "192.0.2.1:65536", "[::1]"] {
            assert!(metrics(text).is_err(), "{text}");
        }
    }
}
