//! `global_defs` and other blocks beside the virtual servers.

use std::net::IpAddr;
use std::time::Duration;

use ipvs_netlink::{InterfaceName, Role, SyncDaemon, Timeouts};

use crate::configuration::Configuration;
use crate::convert::blocks::Statement;
use crate::convert::unsaid::{Fate, Remarks};
use crate::convert::values::number;

/// The addresses that a remark names.
const MOST_NAMED: usize = 20;

/// Takes a statement outside of all virtual servers.
pub(super) fn take(
    statement: &Statement,
    configuration: &mut Configuration,
    remarks: &mut Remarks,
) {
    let reason = match statement.keyword() {
        "global_defs" => return definitions(statement, configuration, remarks),
        "net_namespace" => return namespace(statement, configuration, remarks),
        "net_namespace_ipvs" => {
            "the director and its table are in one namespace: give its checks an `origin: {namespace: ...}`"
        }
        "vrrp_instance" => return vrrp_instance(statement, remarks),
        "vrrp_sync_group"
        | "vrrp_script"
        | "vrrp_track_process"
        | "vrrp_track_file"
        | "track_group"
        | "garp_group"
        | "interface_up_down_delays"
        | "linkbeat_interfaces"
        | "linkbeat_use_polling" => "the director does no VRRP: let keepalived go on with it",
        "static_ipaddress" | "static_routes" | "static_rules" => {
            "the director sets no addresses, routes and rules: let the host's network settings do it"
        }
        "track_file" => "no check reads a file",
        "bfd_instance" => "there is no BFD",
        "SSL" => {
            "checks over TLS take any certificate and show none: give `tls` its authorities and its \
             client_certificate"
        }
        "instance" | "use_pid_dir" | "namespace_with_ipsets" | "child_wait_time" => {
            "the director has no such setting"
        }
        _ => return statement.unknown(remarks),
    };
    statement.tell(Fate::LeftOut, reason, remarks);
}

fn vrrp_instance(statement: &Statement, remarks: &mut Remarks) {
    let is_addresses = |statement: &&Statement| {
        matches!(statement.keyword(), "virtual_ipaddress" | "virtual_ipaddress_excluded")
    };
    let blocks = statement.inside().iter().filter(is_addresses);
    let addresses: Vec<&str> = blocks.flat_map(Statement::inside).map(Statement::keyword).collect();
    let named = addresses.get(..MOST_NAMED).unwrap_or(&addresses).join(", ");
    let more = match addresses.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let reason = format!(
        "the director does no VRRP: let keepalived go on with it, or let the commands of services \
         announce the addresses ({named}{more})"
    );
    statement.tell(Fate::LeftOut, reason, remarks);
}

fn namespace(statement: &Statement, configuration: &mut Configuration, remarks: &mut Remarks) {
    match statement.one("the name of a namespace", remarks) {
        Some(name) if !name.contains(['/', '\0']) && !matches!(name, "" | "." | "..") => {
            configuration.namespace = Some(format!("/run/netns/{name}").into());
        }
        Some(_) => statement.refuse("the name of a namespace", remarks),
        None => {}
    }
}

fn definitions(block: &Statement, configuration: &mut Configuration, remarks: &mut Remarks) {
    for statement in block.inside() {
        let keyword = statement.keyword();
        let reason = match keyword {
            "lvs_timeouts" => {
                timeouts(statement, configuration, remarks);
                continue;
            }
            "lvs_sync_daemon" => {
                synchronization(statement, configuration, remarks);
                continue;
            }
            "router_id" | "process_names" | "reload_repeat" | "random_seed" => {
                statement.tell(Fate::NotNeeded, "it has no effect on services", remarks);
                continue;
            }
            "lvs_flush" => "services of others stay: `ipvsadm -C` empties the table",
            "lvs_flush_on_stop" | "lvs_flush_onstop" => {
                "`director run` says by an option what happens at its end"
            }
            "notification_email"
            | "notification_email_from"
            | "smtp_server"
            | "smtp_helo_name"
            | "smtp_connect_timeout"
            | "smtp_alert"
            | "smtp_alert_vrrp"
            | "smtp_alert_checker"
            | "no_email_faults"
            | "no_checker_emails" => {
                "the director sends no mail: follow `director events` or its log"
            }
            "notify_fifo" | "notify_fifo_script" | "lvs_notify_fifo" | "lvs_notify_fifo_script" => {
                "follow `director events`"
            }
            "checker_log_all_failures" | "rs_init_notifies" => "follow `director events`",
            "script_user" | "enable_script_security" => {
                "the director runs all programs as its own user"
            }
            "nftables_ipvs" | "nftables_ipvs_priority" | "nftables_ipvs_start_fwmark" => {
                "the director sets no firewall marks: each member of a group is a service"
            }
            "startup_script"
            | "startup_script_timeout"
            | "shutdown_script"
            | "shutdown_script_timeout" => "let ExecStartPre and ExecStopPost of the unit run it",
            "checker_priority"
            | "checker_no_swap"
            | "checker_rt_priority"
            | "checker_cpu_affinity"
            | "checker_rlimit_rttime"
            | "max_auto_priority"
            | "min_auto_priority_delay" => "let the unit of the director set it",
            _ if keyword.starts_with("vrrp_") || keyword.starts_with("bfd_") => {
                "the director does no VRRP and no BFD"
            }
            _ if keyword.starts_with("snmp_") || keyword.starts_with("enable_snmp_") => {
                "there is no SNMP: read `director status --json`"
            }
            _ if keyword.starts_with('@') => {
                statement.unknown(remarks);
                continue;
            }
            _ => "the director has no such setting",
        };
        statement.tell(Fate::LeftOut, reason, remarks);
    }
}

fn timeouts(statement: &Statement, configuration: &mut Configuration, remarks: &mut Remarks) {
    let mut timeouts = Timeouts::default();
    for pair in statement.arguments().chunks(2) {
        let [name, seconds] = pair else {
            return statement.refuse("a list of tcp, tcpfin or udp with seconds", remarks);
        };
        let slot = match name.as_str() {
            "tcp" => &mut timeouts.tcp,
            "tcpfin" => &mut timeouts.tcp_fin,
            "udp" => &mut timeouts.udp,
            _ => return statement.refuse("a list of tcp, tcpfin or udp with seconds", remarks),
        };
        let Some(seconds) = number(seconds).filter(|seconds| *seconds > 0) else {
            return statement.refuse("a list of tcp, tcpfin or udp with seconds", remarks);
        };
        *slot = Some(Duration::from_secs(seconds.into()));
    }
    match timeouts.validate() {
        Ok(()) if timeouts != Timeouts::default() => {
            configuration.timeouts = timeouts;
            configuration.write_settings = true;
        }
        Ok(()) => statement.refuse("a list of tcp, tcpfin or udp with seconds", remarks),
        Err(error) => statement.tell(Fate::LeftOut, error.to_string(), remarks),
    }
}

/// Reads `INTERFACE [[inst] INSTANCE] [id N] [maxlen N] [port N] [ttl N] [group ADDRESS]`.
fn synchronization(
    statement: &Statement,
    configuration: &mut Configuration,
    remarks: &mut Remarks,
) {
    let expected = "an interface with id, maxlen, port, ttl and group as keepalived takes them";
    let Some(daemon) = daemon(statement.arguments()) else {
        return statement.refuse(expected, remarks);
    };
    let (daemon, instance) = daemon;
    let both = [Role::Master, Role::Backup].map(|role| {
        let mut daemon = daemon.clone();
        daemon.role = role;
        daemon
    });
    if let Some(error) = both.iter().find_map(|daemon| daemon.validate().err()) {
        return statement.tell(Fate::LeftOut, error.to_string(), remarks);
    }
    if let Some(instance) = instance {
        let reason = format!(
            "both daemons run always; keepalived runs one of them by the state of VRRP's {instance:?}"
        );
        statement.tell(Fate::Changed, reason, remarks);
    }
    if configuration.synchronization.is_some() {
        return statement.tell(Fate::NotNeeded, "a line before it gives it, and counts", remarks);
    }
    configuration.synchronization = Some(both.to_vec());
}

fn daemon(words: &[String]) -> Option<(SyncDaemon, Option<String>)> {
    let (interface, options) = words.split_first()?;
    let mut daemon = SyncDaemon::new(Role::Master, InterfaceName::new(interface).ok()?);
    let mut instance = None;
    let mut options = options.iter();
    while let Some(option) = options.next() {
        let mut value = || options.next();
        match option.as_str() {
            "inst" => instance = Some(value()?.clone()),
            "id" => daemon.sync_id = number(value()?)?,
            "maxlen" => daemon.max_length = Some(u16::try_from(number(value()?)?).ok()?),
            "port" => daemon.port = Some(u16::try_from(number(value()?)?).ok()?),
            "ttl" => daemon.ttl = Some(u8::try_from(number(value()?)?).ok()?),
            "group" => daemon.group = Some(value()?.parse::<IpAddr>().ok()?),
            // The instance without a word before it.
            _ if instance.is_none() => instance = Some(option.clone()),
            _ => return None,
        }
    }
    Some((daemon, instance))
}
