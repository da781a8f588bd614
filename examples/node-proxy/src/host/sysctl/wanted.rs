//! Which sysctls a node proxy needs, and the values.

use std::fmt;

use ipvs_netlink::Setting;

/// A sysctl that this program may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sysctl {
    /// `net.ipv4.vs.*`.
    Ipvs(Setting),
    /// Another one, below `/proc/sys`, with slashes.
    Path(&'static str),
}

const IP_FORWARD: Sysctl = Sysctl::Path("net/ipv4/ip_forward");
const IPV6_FORWARDING: Sysctl = Sysctl::Path("net/ipv6/conf/all/forwarding");
const ARP_IGNORE: Sysctl = Sysctl::Path("net/ipv4/conf/all/arp_ignore");
const ARP_ANNOUNCE: Sysctl = Sysctl::Path("net/ipv4/conf/all/arp_announce");

impl Sysctl {
    /// All that this program may change.
    pub(crate) const ALL: [Self; 8] = [
        Self::Ipvs(Setting::CONNTRACK),
        Self::Ipvs(Setting::EXPIRE_NODEST_CONN),
        Self::Ipvs(Setting::EXPIRE_QUIESCENT_TEMPLATE),
        Self::Ipvs(Setting::CONN_REUSE_MODE),
        IP_FORWARD,
        IPV6_FORWARDING,
        ARP_IGNORE,
        ARP_ANNOUNCE,
    ];

    /// Finds the sysctl of a name such as `net.ipv4.ip_forward`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.to_string() == name)
    }
}

impl fmt::Display for Sysctl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipvs(setting) => write!(f, "net.ipv4.vs.{setting}"),
            Self::Path(path) => f.write_str(&path.replace('/', ".")),
        }
    }
}

/// A version of the kernel: major and minor.
pub(crate) type Version = (u32, u32);

/// Reads the version of a release such as `6.1.0-28-amd64`.
pub(crate) fn version(release: &str) -> Option<Version> {
    let mut numbers = release.split(|it: char| !it.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
        _ => None,
    }
}

/// What decides which sysctls are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The table has IPv4 services.
    pub(crate) ipv4: bool,
    /// The table has IPv6 services.
    pub(crate) ipv6: bool,
    /// `--strict-arp`.
    pub(crate) strict_arp: bool,
    /// The version of the kernel, if it is known.
    pub(crate) kernel: Option<Version>,
}

/// Returns the sysctls that are needed, with their values.
///
/// Source: `pkg/proxy/ipvs/proxier.go:NewProxier`, except for the forwarding of IPv6, which kube-proxy leaves to
/// others.
pub(crate) fn wanted(needs: Needs) -> Vec<(Sysctl, i32)> {
    let mut wanted = vec![
        // Without it netfilter cannot masquerade connections of IPVS.
        (Sysctl::Ipvs(Setting::CONNTRACK), 1),
        (Sysctl::Ipvs(Setting::EXPIRE_NODEST_CONN), 1),
        (Sysctl::Ipvs(Setting::EXPIRE_QUIESCENT_TEMPLATE), 1),
    ];
    // From 5.9 the kernel's default costs no delay any more, and before 4.1 there is no such setting.
    if needs.kernel.is_some_and(|it| ((4, 1)..(5, 9)).contains(&it)) {
        wanted.push((Sysctl::Ipvs(Setting::CONN_REUSE_MODE), 0));
    }
    if needs.ipv4 {
        wanted.push((IP_FORWARD, 1));
    }
    if needs.ipv6 {
        wanted.push((IPV6_FORWARDING, 1));
    }
    if needs.strict_arp {
        wanted.extend([(ARP_IGNORE, 1), (ARP_ANNOUNCE, 2)]);
    }
    wanted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(needs: Needs) -> Vec<String> {
        wanted(needs).iter().map(|(sysctl, value)| format!("{sysctl}={value}")).collect()
    }

    const PLAIN: Needs = Needs { ipv4: true, ipv6: false, strict_arp: false, kernel: Some((6, 1)) };

    #[test]
    fn follow_kube_proxy() {
        let expected = [
            "net.ipv4.vs.conntrack=1",
            "net.ipv4.vs.expire_nodest_conn=1",
            "net.ipv4.vs.expire_quiescent_template=1",
            "net.ipv4.ip_forward=1",
        ];
        assert_eq!(names(PLAIN), expected);
        assert_eq!(names(Needs { kernel: None, ..PLAIN }), expected);
    }

    #[test]
    fn conn_reuse_mode_counts_from_4_1_to_5_8() {
        let counts = |kernel| {
            let names = names(Needs { kernel: Some(kernel), ..PLAIN });
            names.contains(&"net.ipv4.vs.conn_reuse_mode=0".to_owned())
        };
        assert!(counts((4, 1)) && counts((4, 19)) && counts((5, 8)));
        assert!(!counts((4, 0)) && !counts((5, 9)) && !counts((6, 12)) && !counts((3, 10)));
    }

    #[test]
    fn families_and_arp_are_asked_for() {
        let six = names(Needs { ipv4: false, ipv6: true, ..PLAIN });
        assert!(six.contains(&"net.ipv6.conf.all.forwarding=1".to_owned()), "{six:?}");
        assert!(!six.contains(&"net.ipv4.ip_forward=1".to_owned()), "{six:?}");
        let strict = names(Needs { strict_arp: true, ..PLAIN });
        let arp = ["net.ipv4.conf.all.arp_ignore=1", "net.ipv4.conf.all.arp_announce=2"];
        assert_eq!(strict[strict.len() - 2..], arp);
    }

    #[test]
    fn all_that_can_be_wanted_is_known_by_name() {
        let all = Needs { ipv4: true, ipv6: true, strict_arp: true, kernel: Some((5, 4)) };
        let all: Vec<Sysctl> = wanted(all).into_iter().map(|(sysctl, _)| sysctl).collect();
        assert_eq!(all.len(), Sysctl::ALL.len());
        assert!(all.iter().all(|it| Sysctl::named(&it.to_string()) == Some(*it)));
        assert_eq!(Sysctl::named("kernel.modprobe"), None);
    }

    #[test]
    fn releases_have_versions() {
        assert_eq!(version("6.1.0-28-amd64"), Some((6, 1)));
        assert_eq!(version("5.15.153.1-microsoft-standard-WSL2"), Some((5, 15)));
        assert_eq!(version("7.3-rc1"), Some((7, 3)));
        for odd in ["", "linux", "6", "6.", "99999999999.1"] {
            assert_eq!(version(odd), None, "{odd}");
        }
    }
}
