//! Other programs that write the table.

use crate::finding::{Finding, Severity};
use crate::host::{Host, is_of_kubernetes};

/// Who writes the table.
pub(crate) fn writers(host: &Host) -> Vec<Finding> {
    let mut programs: Vec<&str> = host.processes.iter().map(|it| it.name.as_str()).collect();
    programs.sort_unstable();
    programs.dedup();
    let links = host.links.iter().filter(|link| is_of_kubernetes(link));
    let mut evidence: Vec<String> = host
        .processes
        .iter()
        .map(|process| format!("{} runs as process {}", process.name, process.id))
        .collect();
    for link in links {
        let owner = if link.name == "kube-ipvs0" { "kube-proxy" } else { "kube-router" };
        evidence.push(format!("the interface {} is that of {owner}", link.name));
        if !programs.contains(&owner) {
            programs.push(owner);
        }
    }
    if programs.is_empty() {
        return Vec::new();
    }
    let kube = programs.contains(&"kube-proxy");
    let (severity, title) = match programs.as_slice() {
        [one] => (Severity::Note, format!("{one} writes the table")),
        several => {
            (Severity::Warning, format!("several programs write the table: {}", several.join(", ")))
        }
    };
    let mut reason = "The kernel has one table for each network namespace and no owner of its \
                      entries. Such a program undoes what others change, and kube-proxy deletes \
                      services that it does not know."
        .to_owned();
    if kube {
        reason += " Kubernetes has deprecated the mode ipvs of kube-proxy since 1.35; it is \
                   planned to be off from 1.40 and gone from 1.43.";
    }
    vec![
        Finding::new(severity, title)
            .reason(reason)
            .seen(evidence)
            .fix(
                "Change the table through that program alone, or keep to services of your own and \
                 say so there: excludeCIDRs of kube-proxy. After kube-proxy has left the mode \
                 ipvs, kube-proxy --cleanup removes its services and the interface.",
            )
            .source(
                "Kubernetes KEP-3866 and KEP-5495; net/netfilter/ipvs/ip_vs_ctl.c has no owner of \
                 a service",
            ),
    ]
}
