//! `DNS_CHECK`.

use ipvs_netlink::health::probe::{DnsCheck, DnsType, Probe};

use crate::convert::blocks::Statement;
use crate::convert::checkers::{Around, Common};
use crate::convert::real_server::Check;
use crate::convert::settings::Slot;
use crate::convert::timing::Defaults;
use crate::convert::unsaid::{Fate, Remarks};

const DEFAULTS: Defaults =
    Defaults { retry: 3, delay_before_retry: None, longer_while_down: false };

pub(super) fn read(
    statement: &Statement,
    around: Around<'_>,
    remarks: &mut Remarks,
) -> Option<Check> {
    let (mut name, mut kind): (Slot<String>, Slot<DnsType>) = Default::default();
    let common = Common::read(statement, &[], remarks, |statement, remarks| {
        match statement.keyword() {
            "name" => {
                if let Some(text) = statement.one("a name", remarks) {
                    name.set_first(statement, text.to_owned(), remarks);
                }
            }
            "type" => {
                let expected = "A, NS, CNAME, SOA, MX, TXT or AAAA";
                let found = match statement.one(expected, remarks) {
                    Some("A") => DnsType::A,
                    Some("NS") => DnsType::NS,
                    Some("CNAME") => DnsType::CNAME,
                    Some("SOA") => DnsType::SOA,
                    Some("MX") => DnsType::MX,
                    Some("TXT") => DnsType::TXT,
                    Some("AAAA") => DnsType::AAAA,
                    Some(_) => {
                        statement.refuse(expected, remarks);
                        return true;
                    }
                    None => return true,
                };
                kind.set(statement, found, remarks);
            }
            _ => return false,
        }
        true
    });
    let kind = kind.get().copied().unwrap_or(DnsType::SOA);
    let text = name.get().map_or(".", String::as_str);
    let check = DnsCheck::new(text, kind).or_else(|error| {
        name.tell(Fate::Changed, format!("the check asks for `.` instead: {error}"), remarks);
        DnsCheck::new(".", kind)
    });
    common.check(Probe::dns(check.ok()?), DEFAULTS, around, remarks)
}
