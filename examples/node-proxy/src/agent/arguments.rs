//! The command line of `node-proxy run`.

use clap::Args;
use ipvs_netlink::kubernetes::{Drain, scopes};
use ipvs_netlink::table::{Network, Scope};
use ipvs_netlink::{InvalidValue, ServiceId};

use crate::arguments::{Conversion, Subject};
use crate::checks::CheckOptions;
use crate::cluster::Access;
use crate::firewall::FirewallOptions;
use crate::host::HostArguments;
use crate::serving::ServingArguments;

/// The arguments of `node-proxy run`.
#[derive(Args, Clone, Debug)]
pub struct RunArguments {
    /// How the API server is reached.
    #[command(flatten)]
    pub access: Access,
    /// How a node converts.
    #[command(flatten)]
    pub conversion: Conversion,
    /// What is set up on the host beside the table.
    #[command(flatten)]
    pub host: HostArguments,
    /// How traffic is masqueraded and filtered.
    #[command(flatten)]
    pub firewall: FirewallOptions,
    /// How endpoints are checked.
    #[command(flatten)]
    pub checks: CheckOptions,
    /// The networks of cluster IPs: also delete services there, and at node ports 30000 to 32767 of
    /// --node-address, that the cluster does not have. By default only what this program has made is deleted.
    #[arg(long, value_name = "CIDR", value_delimiter = ',', conflicts_with = "take_over")]
    pub service_cidr: Vec<Network>,
    /// Take over from a kube-proxy that has ended: in the first synchronization, also delete all other
    /// services at addresses, whoever made them.
    #[arg(long)]
    pub take_over: bool,
    /// Serve the services whose label service.kubernetes.io/service-proxy-name has this value. kube-proxy
    /// passes over them. By default those without the label are served.
    #[arg(long, value_name = "NAME", value_parser = label_value)]
    pub service_proxy_name: Option<String>,
    /// How endpoints of TCP leave: after their last connection, and with a duration such as 90s at the
    /// latest then; `forever`, as with kube-proxy; or `at-once`. The annotation ipvs-netlink/drain of a
    /// service says it for that one.
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = drain)]
    pub drain: Drain,
    /// Where health and metrics are served.
    #[command(flatten)]
    pub serving: ServingArguments,
    /// Send Kubernetes Events about mistakes in services, and about what the kernel refuses. Every node that has
    /// this option sends them.
    #[arg(long)]
    pub events: bool,
    /// Say by the condition IpvsTableReady of the own Node object whether the table is kept.
    #[arg(long)]
    pub node_condition: bool,
    /// Print what would be changed, as commands of ipvsadm, and end.
    #[arg(long)]
    pub dry_run: bool,
    /// Print what became of a service of the cluster and of its endpoints, and why, and end. PORT is a name or a
    /// number.
    #[arg(long, value_name = "NAMESPACE/NAME[:PORT]", conflicts_with = "dry_run")]
    pub explain: Option<Subject>,
    /// Set the sysctls and the dummy interface up, and end. For an init container, whose privileges the
    /// program does not need later.
    #[arg(long, conflicts_with_all = ["dry_run", "explain"])]
    pub init_only: bool,
}

impl RunArguments {
    /// Returns `true` if the program ends when one thing is done.
    pub(super) const fn ends_by_itself(&self) -> bool {
        self.dry_run || self.init_only || self.explain.is_some()
    }

    /// Returns which services of the kernel's table may be deleted at any time. What this program has made is
    /// not among them, because the controller knows it.
    pub(super) fn scope(&self) -> Scope {
        let conversion = &self.conversion;
        let mut scope = Scope::new();
        if !self.service_cidr.is_empty() {
            let networks = self.service_cidr.iter().copied();
            let networks: Vec<_> = networks.filter(|it| conversion.serves(it.address())).collect();
            let nodes = conversion.node_address.iter().copied();
            let nodes: Vec<_> = nodes.filter(|it| conversion.serves(*it)).collect();
            scope = scopes::after_kube_proxy(&networks, &nodes, scopes::NODE_PORTS);
        }
        scope.except(conversion.excluded())
    }

    /// Returns which services may be deleted in the first synchronization. `earlier` are those of earlier
    /// runs.
    pub(super) fn first_scope(&self, earlier: &[ServiceId]) -> Scope {
        let scope = if self.take_over { self.conversion.scope() } else { self.scope() };
        earlier.iter().fold(scope, |scope, id| scope.service(*id))
    }
}

fn drain(text: &str) -> Result<Drain, InvalidValue> {
    text.parse()
}

/// Parses the value of a label. Any other text would change the selector of the watches.
fn label_value(text: &str) -> Result<String, String> {
    let ends = |it: char| it.is_ascii_alphanumeric();
    let within = |it: char| ends(it) || matches!(it, '-' | '_' | '.');
    match (1..=63).contains(&text.len())
        && text.starts_with(ends)
        && text.ends_with(ends)
        && text.chars().all(within)
    {
        true => Ok(text.to_owned()),
        false => {
            Err("must be 1 to 63 letters, digits, `-`, `_` and `.`, as the value of a label"
                .to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use ipvs_netlink::table::Table;

    use super::*;
    use crate::arguments::{Arguments, Command};

    fn arguments(options: &[&str]) -> RunArguments {
        let words = ["node-proxy", "run"].iter().chain(options);
        match Arguments::try_parse_from(words).unwrap().command {
            Some(Command::Run(arguments)) => *arguments,
            other => panic!("{other:?}"),
        }
    }

    /// A take-over that went on would delete what other programs add.
    #[test]
    fn what_may_be_deleted_first_is_more_than_what_may_be_deleted_later() {
        let id = |text: &str| text.parse::<ServiceId>().unwrap();
        let own = [id("TCP 203.0.113.1:80")];
        for (options, first, later) in [
            (&["--take-over"][..], [true, true], [false, false]),
            (&[], [true, false], [false, false]),
            (&["--service-cidr=10.96.0.0/16"], [true, true], [false, true]),
            (&["--take-over", "--exclude-cidr=10.0.0.0/8"], [true, false], [false, false]),
        ] {
            let arguments = arguments(options);
            let named = |scope: Scope| {
                [own[0], id("TCP 10.96.0.1:443")].map(|id| scope.contains(id, &Table::new()))
            };
            assert_eq!(named(arguments.first_scope(&own)), first, "{options:?}");
            assert_eq!(named(arguments.scope()), later, "{options:?}");
        }
    }

    /// What others made of it is left alone, and what this program made leaves.
    #[test]
    fn of_a_family_that_is_not_served_only_what_was_made_may_be_deleted() {
        let id = |text: &str| text.parse::<ServiceId>().unwrap();
        let [own, foreign] = ["TCP [2001:db8::1]:80", "TCP [2001:db8::2]:80"].map(id);
        let excluded = "--exclude-cidr=2001:db8::1/128";
        for (options, first) in [
            (&["--ip-family=ipv4", "--take-over"][..], [true, false]),
            (&["--ip-family=ipv4", "--service-cidr=2001:db8::/64"], [true, false]),
            (&["--ip-family=ipv4", "--take-over", excluded], [false, false]),
            (&["--ip-family=ipv6", "--take-over"], [true, true]),
        ] {
            let arguments = arguments(options);
            let scope = arguments.first_scope(&[own]);
            let may = [own, foreign].map(|id| scope.contains(id, &Table::new()));
            assert_eq!(may, first, "{options:?}");
            assert!(!arguments.scope().contains(own, &Table::new()), "{options:?}");
        }
    }

    #[test]
    fn drains_are_named_as_in_the_annotation() {
        for (text, drain) in [
            ("90s", Drain::Within(std::time::Duration::from_secs(90))),
            ("forever", Drain::Forever),
            ("at-once", Drain::AtOnce),
        ] {
            assert_eq!(arguments(&["--drain", text]).drain, drain);
        }
        let wrong = ["node-proxy", "run", "--drain", "soon"];
        assert!(Arguments::try_parse_from(wrong).is_err());
    }
}
