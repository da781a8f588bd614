//! Modules of the kernel.

use std::collections::BTreeMap;

use ipvs_netlink::{Forwarding, Protocol, Scheduler, ServiceId};

use crate::finding::{Finding, Severity};
use crate::host::{Host, named};

/// IPVS itself, and the modules of schedulers and engines in use.
pub(crate) fn modules(host: &Host) -> Vec<Finding> {
    if host.ipvs.is_none() {
        return vec![not_loaded(host)];
    }
    let mut in_use: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for service in host.services() {
        let settings = &service.entry.service;
        let scheduler = settings.scheduler;
        let engine = settings.persistence.and_then(|it| it.engine);
        let modules = (scheduler != Scheduler::NONE)
            .then(|| format!("ip_vs_{scheduler}"))
            .into_iter()
            .chain(engine.map(|engine| format!("ip_vs_pe_{engine}")));
        for module in modules {
            in_use.entry(module).or_default().push(service.id().to_string());
        }
    }
    let Some(on_disk) = &host.modules.on_disk else {
        // A kernel without modules has all of it built in.
        let loaded: Vec<_> = in_use.keys().filter(|it| host.modules.loaded.contains(*it)).collect();
        if loaded.is_empty() {
            return Vec::new();
        }
        let release = &host.kernel.release;
        return vec![
            Finding::new(Severity::Note, "the modules of the running kernel are not on disk")
                .reason(
                    "What is loaded goes on working. A service with a scheduler that is not loaded \
                     is refused with ENOENT, because the kernel asks modprobe for it. An update of \
                     the kernel that removes the old modules does this; so does a container \
                     without /lib/modules, which sees too little to judge.",
                )
                .seen([format!("/lib/modules/{release}/modules.dep is missing")])
                .seen(loaded.into_iter().map(|module| format!("{module} is loaded and in use")))
                .fix(
                    "Restart into the installed kernel, or install the modules of the running one.",
                )
                .source("net/netfilter/ipvs/ip_vs_sched.c, ip_vs_scheduler_get"),
        ];
    };
    let lost = in_use
        .iter()
        .filter(|(module, _)| !on_disk.contains(*module) && host.modules.loaded.contains(*module));
    let lost = lost.map(|(module, services)| {
        Finding::new(Severity::Warning, format!("{module} is in use and not on disk"))
            .reason(
                "The kernel binds a scheduler or an engine by name and asks modprobe for what is \
                 not loaded. After a restart it finds no such module and refuses the service with \
                 ENOENT.",
            )
            .seen(services.iter().map(String::as_str))
            .fix(format!("Install {module} for the kernel {}.", host.kernel.release))
            .source("net/netfilter/ipvs/ip_vs_sched.c, ip_vs_scheduler_get; ip_vs_pe.c")
    });
    lost.collect()
}

fn not_loaded(host: &Host) -> Finding {
    // Without a table nothing else tells a director from a real server.
    let sign = host.processes.iter().map(|process| format!("{} runs", process.name)).next();
    let severity = if sign.is_some() { Severity::Error } else { Severity::Note };
    Finding::new(severity, "IPVS is not loaded")
        .reason(
            "The kernel balances nothing. A real server needs no IPVS; a director does. The first \
             program that asks for IPVS by netlink has the kernel load it, if modprobe finds it.",
        )
        .seen(["/proc/net/ip_vs is missing"])
        .seen(sign)
        .fix("modprobe ip_vs, and for every start: echo ip_vs > /etc/modules-load.d/ip_vs.conf")
        .source("net/netfilter/ipvs/Kconfig, IP_VS")
}

/// The port that FTP commands go to.
const FTP: u16 = 21;

/// FTP through masquerading needs a helper.
pub(crate) fn ftp(host: &Host) -> Vec<Finding> {
    if host.modules.loaded.contains("ip_vs_ftp") {
        return Vec::new();
    }
    let pairs = host.pairs().filter(|(service, destination)| {
        matches!(
            service.id(),
            ServiceId::Address { protocol: Protocol::TCP, address } if address.port() == FTP
        ) && destination.destination.forwarding == Forwarding::Masquerade
    });
    let pairs: Vec<String> = pairs.map(named).collect();
    if pairs.is_empty() {
        return Vec::new();
    }
    vec![
        Finding::new(Severity::Warning, "FTP is masqueraded without ip_vs_ftp")
            .reason(
                "The server names its own address and a port in the stream of commands. Only the \
                 module rewrites that, so transfers fail while logins work.",
            )
            .seen(pairs)
            .fix("modprobe ip_vs_ftp, on a kernel that has it.")
            .source("net/netfilter/ipvs/ip_vs_ftp.c; RFC 959, section 3.2"),
    ]
}
