//! Tables with names of hosts and ports.

use std::cell::Cell;
use std::net::IpAddr;

use serde::de::DeserializeSeed;

use crate::ipvsadm::{NameError, Names};
use crate::model::{AddressFamily, Protocol};
use crate::table::Table;
use crate::table::document::TableSeed;

/// Knows the host `web` and the port `sip`, which differs by protocol. Each lookup of a host has
/// another answer.
#[derive(Default)]
struct Site(Cell<u8>);

impl Names for Site {
    fn host(&self, name: &str, family: AddressFamily) -> Result<IpAddr, NameError> {
        self.0.set(self.0.get() + 1);
        match (name, family) {
            ("web", AddressFamily::Ipv4) | ("wrong", _) => Ok([192, 0, 2, self.0.get()].into()),
            ("web", AddressFamily::Ipv6) => Ok("2001:db8::1".parse().unwrap()),
            _ => Err(NameError::Unknown),
        }
    }

    fn port(&self, name: &str, protocol: Protocol) -> Result<u16, NameError> {
        match (name, protocol) {
            ("sip", Protocol::TCP) => Ok(5060),
            ("sip", Protocol::UDP) => Ok(5061),
            _ => Err(NameError::Unknown),
        }
    }
}

fn read(seed: &TableSeed<'_>, text: &str) -> Result<Table, String> {
    let mut json = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut json).map_err(|error| error.to_string())
}

#[test]
fn names_are_looked_up_by_family_and_protocol() {
    let text = r#"{"defaults": {"port": 443, "forward": "masquerade"}, "services": [
        {"destinations": [{"address": "web:sip"}, {"address": "10.0.0.2:sip"}], "udp": "web:sip"},
        {"tcp": "[web]:sip", "destinations": [{"address": "[web]"}]},
        {"fwmark": 5, "destinations": [{"address": "web:sip"}]}]}"#;
    let said = r#"{"defaults": {"forward": "masquerade"}, "services": [
        {"udp": "192.0.2.1:5061",
         "destinations": [{"address": "192.0.2.1:5061"}, {"address": "10.0.0.2:5061"}]},
        {"tcp": "[2001:db8::1]:5060", "destinations": [{"address": "[2001:db8::1]:443"}]},
        {"fwmark": 5, "destinations": [{"address": "192.0.2.1:5060"}]}]}"#;
    let site = Site::default();
    let seed = TableSeed::with_names(&site);
    assert_eq!(read(&seed, text), Ok(serde_json::from_str(said).unwrap()));
    // The second text finds the host at the same address.
    assert_eq!(read(&seed, text), Ok(serde_json::from_str(said).unwrap()));
    assert_eq!(site.0.get(), 2);
}

#[test]
fn a_name_that_is_not_found_is_told_with_its_place() {
    let site = Site::default();
    let seed = TableSeed::with_names(&site);
    for (service, error) in [
        (
            r#""tcp": "nosuch:80""#,
            "service address \"nosuch:80\": host \"nosuch\" of IPv4: there is",
        ),
        (r#""tcp": "[wrong]:80""#, "host \"wrong\" of IPv6: there is no such name"),
        (r#""tcp": "web:nosuch""#, "port \"nosuch\" of TCP: there is no such name"),
        (r#""tcp": "web""#, "service address \"web\""),
        (r#""tcp": "0x7f.1:80""#, "service address \"0x7f.1:80\""),
        (r#""tcp": "web:99999""#, "service address \"web:99999\""),
        (r#""tcp": "web:""#, "service address \"web:\""),
        (r#""service": "TCP web:80""#, "web:80"),
        (
            r#""tcp": "web:80", "forward": "direct", "destinations": [{"address": "nosuch:80"}]"#,
            "service TCP 192.0.2.3:80: destination \"nosuch:80\": host \"nosuch\" of IPv4",
        ),
        (
            r#""tcp": "web:80", "forward": "direct",
               "destinations": [{"address": "web:80"}, {"address": "192.0.2.3:80"}]"#,
            "destination 192.0.2.3:80: must not be given twice",
        ),
    ] {
        let refused = read(&seed, &format!(r#"{{"services": [{{{service}}}]}}"#)).unwrap_err();
        assert!(refused.contains(error), "{refused}");
    }
}

#[test]
fn without_names_a_seed_reads_as_deserialize_does() {
    for text in [
        r#"{"services": [{"tcp": "192.0.2.10:80"}]}"#,
        r#"{"services": [{"tcp": "web:80"}]}"#,
        r#"{"services": [{"tcp": "192.0.2.10:http"}]}"#,
        r#"{"defaults": {"port": 443}, "services": [{"tcp": "web"}]}"#,
        "null",
        "[]",
        "1.5",
        "7",
        "true",
        r#""services""#,
    ] {
        let plain = serde_json::from_str::<Table>(text).map_err(|error| error.to_string());
        assert_eq!(read(&TableSeed::new(), text), plain, "{text}");
        assert!(!text.contains("web") || plain.unwrap_err().contains("names are not looked up"));
    }
}
