use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;

use crate::health::rules::ensure;
use crate::model::InvalidValue;

/// The most addresses that a check expects.
const MOST_ADDRESSES: usize = 64;

/// A query over DNS, and what the answer must be.
///
/// The check passes if the server answers the query with the expected code, `NOERROR` by default, and
/// the answer has all expected addresses, none by default. An answer without a record passes, too, if
/// no address is expected.
///
/// The query goes over UDP, and again over TCP if the answer is truncated. Its identifier is random,
/// and answers with another identifier or question are not looked at. The check reads
/// 256 datagrams of 4 KiB at most, and one answer of 64 KiB over TCP.
///
/// ```
/// use ipvs_netlink::health::probe::{DnsCheck, DnsCode, DnsType, Probe};
///
/// let check = DnsCheck::new("www.example.com", DnsType::A)?.address([192, 0, 2, 7].into())?;
/// let refuses = DnsCheck::new(".", DnsType::NS)?.code(DnsCode::REFUSED);
/// let probe = Probe::dns(check);
/// assert!(DnsCheck::new("www..example", DnsType::A).is_err());
/// # let _ = (probe, refuses);
/// # Ok::<(), ipvs_netlink::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[must_use]
pub struct DnsCheck {
    pub(super) name: String,
    pub(super) kind: DnsType,
    pub(super) code: DnsCode,
    pub(super) addresses: BTreeSet<IpAddr>,
    pub(super) recursion: bool,
    pub(super) tcp: bool,
}

/// The type of the records that are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsType(pub u16);

/// The code of an answer: 0 to 15.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsCode(u8);

impl DnsType {
    /// Addresses of IPv4.
    pub const A: Self = Self(1);
    /// Name servers.
    pub const NS: Self = Self(2);
    /// Another name.
    pub const CNAME: Self = Self(5);
    /// The begin of a zone.
    pub const SOA: Self = Self(6);
    /// A name of an address.
    pub const PTR: Self = Self(12);
    /// Servers of mail.
    pub const MX: Self = Self(15);
    /// Texts.
    pub const TXT: Self = Self(16);
    /// Addresses of IPv6.
    pub const AAAA: Self = Self(28);
    /// Servers of services.
    pub const SRV: Self = Self(33);

    pub(super) const NAMED: [(Self, &'static str); 9] = [
        (Self::A, "A"),
        (Self::NS, "NS"),
        (Self::CNAME, "CNAME"),
        (Self::SOA, "SOA"),
        (Self::PTR, "PTR"),
        (Self::MX, "MX"),
        (Self::TXT, "TXT"),
        (Self::AAAA, "AAAA"),
        (Self::SRV, "SRV"),
    ];
}

impl fmt::Display for DnsType {
    /// Prints the name, such as `AAAA`, or `TYPE65` for a type without one here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(kind, _)| kind == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl DnsCode {
    /// The query is answered.
    pub const NO_ERROR: Self = Self(0);
    /// The server did not understand the query.
    pub const FORMAT_ERROR: Self = Self(1);
    /// The server could not answer.
    pub const SERVER_FAILURE: Self = Self(2);
    /// There is no such name.
    pub const NX_DOMAIN: Self = Self(3);
    /// The server does not answer such queries.
    pub const NOT_IMPLEMENTED: Self = Self(4);
    /// The server does not want to answer.
    pub const REFUSED: Self = Self(5);

    pub(super) const NAMED: [(Self, &'static str); 6] = [
        (Self::NO_ERROR, "NOERROR"),
        (Self::FORMAT_ERROR, "FORMERR"),
        (Self::SERVER_FAILURE, "SERVFAIL"),
        (Self::NX_DOMAIN, "NXDOMAIN"),
        (Self::NOT_IMPLEMENTED, "NOTIMP"),
        (Self::REFUSED, "REFUSED"),
    ];

    /// Creates a code.
    ///
    /// # Errors
    ///
    /// The number is more than 15.
    pub fn new(code: u8) -> Result<Self, InvalidValue> {
        ensure(code <= 15, "code", || code.to_string(), "must be 0 to 15")?;
        Ok(Self(code))
    }

    pub(super) const fn of_bits(bits: u8) -> Self {
        Self(bits & 15)
    }

    /// Returns the number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for DnsCode {
    /// Prints the name, such as `NXDOMAIN`, or the number of a code without one here.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(code, _)| code == self) {
            Some((_, name)) => f.write_str(name),
            None => self.0.fmt(f),
        }
    }
}

impl DnsCheck {
    /// Creates a query for a name.
    ///
    /// # Errors
    ///
    /// The name has an empty label, one of more than 63 bytes, more than 253 bytes, or other characters
    /// than visible ones of ASCII without `\`. `.` is the root.
    pub fn new(name: impl Into<String>, kind: DnsType) -> Result<Self, InvalidValue> {
        let name = name.into();
        let bare = name.strip_suffix('.').unwrap_or(&name);
        let is_label = |label: &str| {
            let is_plain = label.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
            (1..=63).contains(&label.len()) && is_plain
        };
        let is_name = name == "." || bare.len() <= 253 && bare.split('.').all(is_label);
        let rule = "must be labels of 1 to 63 visible characters of ASCII, 253 in all";
        ensure(is_name, "name", || format!("{name:?}"), rule)?;
        let (code, addresses) = (DnsCode::NO_ERROR, BTreeSet::new());
        Ok(Self { name, kind, code, addresses, recursion: true, tcp: false })
    }

    /// Sets the code that is expected, [`DnsCode::NO_ERROR`] by default.
    pub const fn code(mut self, code: DnsCode) -> Self {
        self.code = code;
        self
    }

    /// Adds an address that the answer must have, wherever in it: also after other names.
    ///
    /// # Errors
    ///
    /// The query asks for another type than that of the address, or there are more than 64.
    pub fn address(mut self, address: IpAddr) -> Result<Self, InvalidValue> {
        let kind = if address.is_ipv4() { DnsType::A } else { DnsType::AAAA };
        let rule = "must be of the type that is asked for";
        ensure(self.kind == kind, "address", || address.to_string(), rule)?;
        self.addresses.insert(address);
        let fits = self.addresses.len() <= MOST_ADDRESSES;
        ensure(fits, "address", || address.to_string(), "must be at most 64 addresses")?;
        Ok(self)
    }

    /// Sets whether the server is asked to ask others, `true` by default.
    pub const fn recursion(mut self, desired: bool) -> Self {
        self.recursion = desired;
        self
    }

    pub(in crate::health::probe) const fn is_over_tcp(&self) -> bool {
        self.tcp
    }

    /// Asks over TCP alone.
    pub const fn tcp(mut self) -> Self {
        self.tcp = true;
        self
    }
}
