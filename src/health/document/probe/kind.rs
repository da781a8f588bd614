use serde::de::{Error, MapAccess};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::health::Share;
use crate::health::document::probe::bytes::Send;
use crate::health::document::probe::exchange::{Bytes, Nothing, Sent};
use crate::health::document::probe::scalar::{MostShare, Port, Through};
use crate::health::document::scalar::{Timeout, unless};
#[cfg(feature = "health-dns")]
use crate::health::probe::DnsCheck;
#[cfg(feature = "health-grpc")]
use crate::health::probe::GrpcCheck;
#[cfg(feature = "health-http")]
use crate::health::probe::HttpCheck;
#[cfg(feature = "health-tls")]
use crate::health::probe::TlsCheck;
use crate::health::probe::{AgentCheck, CommandCheck, Exchange, Origin, Probe, ProbeKind};
use crate::model::InvalidValue;
use crate::table::document::mapping;
use crate::table::document::written::{Refused, Written, given};

#[derive(Default, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Shape {
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tcp: Option<Bytes>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    udp: Option<Bytes>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    icmp: Option<Nothing>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    agent: Option<Sent>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    command: Option<CommandCheck>,
    #[cfg(feature = "health-grpc")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    grpc: Option<GrpcCheck>,
    #[cfg(feature = "health-dns")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    dns: Option<DnsCheck>,
    #[cfg(feature = "health-http")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    http: Option<HttpCheck>,
    #[cfg(feature = "health-tls")]
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    tls: Option<TlsCheck>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    timeout: Option<Timeout>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    port: Option<Port>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    through: Option<Through>,
    #[serde(default, with = "given", skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

impl Shape {
    /// Returns the kind, which has exactly one of the first keys.
    fn kind(&mut self) -> Result<ProbeKind, String> {
        let mut kinds = Vec::new();
        if let Some(bytes) = self.tcp.take() {
            kinds.push(("tcp", tcp(bytes)?));
        }
        if let Some(bytes) = self.udp.take() {
            kinds.push(("udp", udp(bytes)));
        }
        if let Some(Nothing {}) = self.icmp.take() {
            kinds.push(("icmp", ProbeKind::Icmp));
        }
        if let Some(Sent { send, most }) = self.agent.take() {
            let send = send.map(|Send(bytes)| bytes).unwrap_or_default();
            let most = most.map_or(Share::FULL, |MostShare(percent)| Share::percent(percent));
            kinds.push(("agent", ProbeKind::Agent(AgentCheck::new().send(send).most(most))));
        }
        if let Some(command) = self.command.take() {
            kinds.push(("command", ProbeKind::Command(command)));
        }
        #[cfg(feature = "health-grpc")]
        if let Some(grpc) = self.grpc.take() {
            kinds.push(("grpc", ProbeKind::Grpc(grpc)));
        }
        #[cfg(feature = "health-dns")]
        if let Some(dns) = self.dns.take() {
            kinds.push(("dns", ProbeKind::Dns(dns)));
        }
        #[cfg(feature = "health-http")]
        if let Some(http) = self.http.take() {
            kinds.push(("http", ProbeKind::Http(http)));
        }
        #[cfg(feature = "health-tls")]
        if let Some(tls) = self.tls.take() {
            kinds.push(("tls", ProbeKind::Tls(tls)));
        }
        let mut kinds = kinds.into_iter();
        match (kinds.next(), kinds.next()) {
            (Some((_, kind)), None) => Ok(kind),
            (None, _) => {
                Err("a probe must have one key that says what is done, such as tcp".into())
            }
            (Some((first, _)), Some((second, _))) => {
                Err(format!("a probe has {first} and {second}: it must have one of them"))
            }
        }
    }
}

fn tcp(bytes: Bytes) -> Result<ProbeKind, &'static str> {
    match bytes.parts() {
        (send, Some(expect)) => Ok(ProbeKind::TcpExchange(Exchange { send, expect })),
        (send, None) if send.is_empty() => Ok(ProbeKind::Tcp),
        (_, None) => Err("tcp has send and no expect: write expect: \"\" for any answer"),
    }
}

fn udp(bytes: Bytes) -> ProbeKind {
    match bytes.parts() {
        (send, Some(expect)) => ProbeKind::Udp(Exchange { send, expect }),
        (send, None) => ProbeKind::UdpSend(send),
    }
}

impl Written for Probe {
    const EXPECTED: &'static str = "a probe, tcp, icmp or a mapping with a key that says what is \
                                    done, and the keys timeout, port, through and origin";

    fn of_text(text: &str) -> Result<Self, Refused> {
        match text {
            "tcp" => Ok(Self::tcp()),
            "icmp" => Ok(Self::icmp()),
            _ => {
                let rule = "must be tcp, icmp or a mapping";
                Err(InvalidValue::new("probe", format!("{text:?}"), rule))?
            }
        }
    }

    fn of_mapping<'de, A: MapAccess<'de>>(entries: A) -> Result<Self, A::Error> {
        let mut shape: Shape = mapping::shape(entries)?;
        let mut probe = Self::tcp();
        probe.kind = shape.kind().map_err(A::Error::custom)?;
        probe.timeout = shape.timeout.map_or(probe.timeout, |Timeout(timeout)| timeout);
        probe.port = shape.port.map(|Port(port)| port);
        probe.through = shape.through.is_some_and(|Through(through)| through);
        probe.origin = shape.origin.unwrap_or_default();
        probe.validate().map_err(A::Error::custom)?;
        Ok(probe)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut shape = Shape {
            timeout: unless(Self::tcp().timeout, self.timeout, Timeout),
            port: self.port.map(Port),
            through: unless(false, self.through, Through),
            origin: unless(Origin::new(), self.origin.clone(), |origin| origin),
            ..Shape::default()
        };
        match self.kind.clone() {
            ProbeKind::Tcp => shape.tcp = Some(Bytes::default()),
            ProbeKind::TcpExchange(exchange) => shape.tcp = Some(Bytes::of(&exchange)),
            ProbeKind::Udp(exchange) => shape.udp = Some(Bytes::of(&exchange)),
            ProbeKind::UdpSend(send) => {
                shape.udp = Some(Bytes { send: Some(Send(send)), expect: None });
            }
            ProbeKind::Icmp => shape.icmp = Some(Nothing {}),
            ProbeKind::Agent(agent) => {
                let send = Some(Send(agent.send)).filter(|Send(bytes)| !bytes.is_empty());
                let most = unless(Share::FULL, agent.most, |most| MostShare(most.as_percent()));
                shape.agent = Some(Sent { send, most });
            }
            ProbeKind::Command(command) => shape.command = Some(command),
            #[cfg(feature = "health-grpc")]
            ProbeKind::Grpc(grpc) => shape.grpc = Some(grpc),
            #[cfg(feature = "health-dns")]
            ProbeKind::Dns(dns) => shape.dns = Some(dns),
            #[cfg(feature = "health-http")]
            ProbeKind::Http(http) => shape.http = Some(http),
            #[cfg(feature = "health-tls")]
            ProbeKind::Tls(tls) => shape.tls = Some(tls),
            ProbeKind::Custom(_) => {
                return Err(S::Error::custom("a check of the program's own is not written"));
            }
        }
        shape.serialize(serializer)
    }
}
