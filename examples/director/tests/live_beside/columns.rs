//! How servers are checked, as keepalived's file says it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use crate::scene::{SERVER_PORT, SORRY_HOST};
use crate::stage::{at, ms};

/// One way to check servers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    is_http: bool,
    retry: u32,
    inhibits: bool,
    /// The interval, the time limit, and the time between a failure and the next check.
    pub(crate) unit: Duration,
}

/// The columns of the table.
pub(crate) fn columns() -> [Column; 4] {
    let unit = ms(1000);
    let column = |name, is_http, retry, inhibits| Column { name, is_http, retry, inhibits, unit };
    [
        column("TCP, no retry", false, 0, false),
        column("TCP, retry 1", false, 1, false),
        column("TCP, retry 1, weight 0", false, 1, true),
        column("HTTP, retry 1", true, 1, false),
    ]
}

/// The same as the second column, five times as fast.
pub(crate) fn brief() -> Column {
    let name = "TCP, retry 1, every 0.2 s";
    Column { name, is_http: false, retry: 1, inhibits: false, unit: ms(200) }
}

impl Column {
    /// keepalived's file, for a service with these servers and a sorry server.
    pub(crate) fn file(&self, vip: SocketAddr, hosts: &[u8]) -> String {
        let (sorry, port) = (at(SORRY_HOST, SERVER_PORT).ip(), SERVER_PORT);
        let unit = self.unit.as_secs_f64();
        let mut text = format!(
            "virtual_server {} {} {{\n    delay_loop {unit}\n    lb_algo rr\n    lb_kind NAT\n    \
             protocol TCP\n    sorry_server {sorry} {port}\n",
            vip.ip(),
            vip.port()
        );
        for host in hosts {
            text += &self.real_server(at(*host, SERVER_PORT));
        }
        text + "}\n"
    }

    fn real_server(&self, server: SocketAddr) -> String {
        let mut text =
            format!("    real_server {} {} {{\n        weight 1\n", server.ip(), server.port());
        if self.inhibits {
            text += "        inhibit_on_failure\n";
        }
        let (checker, url) = match self.is_http {
            true => (
                "HTTP_GET",
                "            url {\n                path /check\n                status_code 200\n            }\n",
            ),
            false => ("TCP_CHECK", ""),
        };
        let unit = self.unit.as_secs_f64();
        writeln!(
            text,
            "        {checker} {{\n{url}            connect_timeout {unit}\n            retry {}\n            \
             delay_before_retry {unit}\n        }}\n    }}",
            self.retry
        )
        .unwrap();
        text
    }

    /// The longest time from a fault to the verdict. `answer` is how long a check takes.
    pub(crate) fn to_down(self, answer: Duration) -> Duration {
        self.unit + self.unit.max(answer) * self.retry + answer
    }

    /// The longest time from the recovery to the verdict.
    pub(crate) fn to_up(self) -> Duration {
        self.unit
    }
}
