//! Configurations of keepalived. Hosts 0, 1 and 2 have a server of HTTP, host 3 has none.

/// The port of the servers.
pub(crate) const PORT: u16 = 9000;

/// A configuration.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) text: &'static str,
    /// How many destinations the table has once the checks have decided.
    pub(crate) destinations: usize,
    /// The hosts whose servers die then.
    pub(crate) die: &'static [usize],
    /// The keywords that are told to be left out or changed.
    pub(crate) left_out: &'static [&'static str],
}

pub(crate) const SAMPLES: &[Sample] = &[
    Sample {
        name: "pages",
        destinations: 3,
        die: &[],
        left_out: &["notify_down"],
        text: r#"
! A page of each server, other weights, and a server that is dead.
global_defs {
    router_id test
    lvs_timeouts tcp 800 udp 100
}
virtual_server 10.1.0.10 80 {
    delay_loop 1
    lb_algo wrr
    lb_kind NAT
    protocol TCP
    delay_before_retry 0.5
    virtualhost www.example.com
    sorry_server 10.2.4.2 9000
    real_server 10.2.1.2 9000 {
        weight 3
        HTTP_GET {
            url { path /a
                status_code 200-204 404 }
            url { path /b
                regex "server [0-9]" }
        }
    }
    real_server 10.2.2.2 9000 {
        weight 0
        HTTP_GET { http_protocol 1.1
            url { path / } }
        notify_down /bin/true
    }
    real_server 10.2.3.2 9000 {
        weight 7
        uthreshold 100
        lthreshold 50
        HTTP_GET { url { path / } }
    }
    real_server 10.2.4.2 9000 {
        TCP_CHECK { connect_timeout 1 }
    }
}
"#,
    },
    Sample {
        name: "sorry",
        destinations: 1,
        die: &[],
        left_out: &[],
        text: r"
# All are dead: the sorry server serves, and where there is none, nobody.
virtual_server 10.1.0.10 80 {
    delay_loop 1
    lvs_sched mh
    mh-port
    mh-fallback
    protocol TCP
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    sorry_server 10.2.1.2 9000
    real_server 10.2.4.2 9000 { TCP_CHECK { } }
    real_server 10.2.4.2 9001 { HTTP_GET { url { path / } } }
}
virtual_server 10.1.0.10 81 {
    delay_loop 1
    lvs_sched sh
    sh-port
    lvs_method DR
    protocol TCP
    real_server 10.2.4.2 81 { TCP_CHECK { } }
}
",
    },
    Sample {
        name: "groups",
        destinations: 21,
        die: &[],
        left_out: &[],
        text: r"
# Addresses, ranges and firewall marks, each way of forwarding, both families.
$FIRST=10.2.1.2
virtual_server_group G {
    10.1.0.10-11 80
    10.1.0.16/31 81
    fwmark 5
}
virtual_server group G {
    delay_loop 1
    lvs_sched rr
    protocol TCP
    weight 2
    real_server $FIRST 9000 { TCP_CHECK { } }
    real_server 10.2.2.2 { lvs_method DR
        TCP_CHECK { connect_port 9000 } }
    real_server 10.2.3.2 { lvs_method TUN type gre csum
        TCP_CHECK { connect_port 9000 } }
}
virtual_server fwmark 6 {
    delay_loop 1
    persistence_timeout
    real_server 10.2.1.2 { lvs_method TUN type gue port 6080 remcsum }
    real_server fd00:2:2::2 { lvs_method TUN }
}
virtual_server fd00:1::10 53 {
    protocol UDP
    ops
    persistence_granularity 64
    ~SEQ(N, 1, 3) real_server fd00:2:${N}::2 53 { weight ${N}0 }
    real_server 10.2.4.2 53 { lvs_method TUN }
}
",
    },
    Sample {
        name: "others",
        destinations: 4,
        die: &[],
        left_out: &["misc_dynamic"],
        text: r#"
# Programs, datagrams and pings. No server has the port 9001.
virtual_server 10.1.0.10 9001 {
    delay_loop 1
    protocol UDP
    retry 1
    delay_before_retry 0.2
    real_server 10.2.1.2 9001 { UDP_CHECK { connect_timeout 1 } }
    real_server 10.2.2.2 9001 { PING_CHECK { connect_timeout 1 } }
    real_server 10.2.3.2 9001 { DNS_CHECK { retry 1
        connect_timeout 1 } }
}
virtual_server 10.1.0.11 80 {
    delay_loop 1
    protocol TCP
    real_server 10.2.1.2 9000 {
        MISC_CHECK { misc_path "/bin/sh -c 'exit 12'"
            misc_dynamic }
    }
    real_server 10.2.2.2 9000 {
        MISC_CHECK { misc_path "/bin/false" }
    }
    real_server 10.2.3.2 9000 {
        MISC_CHECK { misc_path "/bin/sh -c 'test \"a b\" = \"a b\"'" }
    }
    real_server 10.2.4.2 9000 { }
}
"#,
    },
    Sample {
        name: "dying",
        destinations: 6,
        die: &[0, 1],
        left_out: &[],
        text: r"
# Servers die: they are deleted or get weight 0, the last one, too.
virtual_server 10.1.0.10 80 {
    delay_loop 1
    protocol TCP
    inhibit_on_failure
    real_server 10.2.1.2 9000 { TCP_CHECK { } }
    real_server 10.2.3.2 9000 { TCP_CHECK { } }
}
virtual_server 10.1.0.10 81 {
    delay_loop 1
    protocol TCP
    real_server 10.2.1.2 9000 { TCP_CHECK { } }
    real_server 10.2.2.2 9000 { HTTP_GET { url { path / } } }
}
virtual_server 10.1.0.10 82 {
    delay_loop 1
    protocol TCP
    quorum 2
    real_server 10.2.2.2 9000 { TCP_CHECK { } }
    real_server 10.2.3.2 9000 { TCP_CHECK { } }
}
",
    },
];
