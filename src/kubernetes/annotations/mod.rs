//! Annotations of services and pods, for what kube-proxy does not do.

mod balancing;
mod drain;
mod forwarding;
mod persistence;
mod weights;

use std::sync::Arc;

use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::{PREFIX, Pod, PortProtocol, Service, SessionAffinity};
use crate::kubernetes::rules;
use crate::kubernetes::told::Told;
use crate::kubernetes::{Item, Options, Reason};
use crate::model::{
    Destination, Forwarding, InvalidValue, Netmask, Scheduler, ServiceFlags, ServiceId, Thresholds,
};

pub use drain::Drain;
pub(crate) use weights::Weights;

/// The longest text of health checks, in bytes.
const LONGEST_HEALTH_CHECKS: usize = 64 * 1024;

/// The settings of a service that annotations change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) scheduler: Scheduler,
    pub(crate) flags: ServiceFlags,
    /// Sets one-packet scheduling for the UDP ports.
    pub(crate) one_packet: bool,
    pub(crate) forwarding: Forwarding,
    pub(crate) weights: Weights,
    pub(crate) ipv4_netmask: Option<Netmask>,
    pub(crate) ipv6_netmask: Option<Netmask>,
    pub(crate) thresholds: Thresholds,
    pub(crate) drain: Option<Drain>,
    pub(crate) health_checks: Option<Arc<str>>,
}

impl Settings {
    /// What kube-proxy sets.
    fn of_kube_proxy(options: &Options) -> Self {
        Self {
            scheduler: options.scheduler,
            flags: rules::flags(options.scheduler),
            one_packet: false,
            forwarding: Forwarding::Masquerade,
            weights: Weights::Equal,
            ipv4_netmask: None,
            ipv6_netmask: None,
            thresholds: Thresholds::default(),
            drain: None,
            health_checks: None,
        }
    }

    /// Reads the annotations of a service. If one of them is wrong, none holds: the service is as
    /// kube-proxy makes it.
    ///
    /// `check_forwarding` returns the port of an endpoint and the other port that it would need.
    pub(crate) fn of(
        service: &Service,
        options: &Options,
        told: &mut Told,
        check_forwarding: impl FnOnce(Forwarding) -> Result<(), (u16, u16)>,
    ) -> Self {
        let standard = Self::of_kube_proxy(options);
        if service.metadata.annotations.is_empty() {
            return standard;
        }
        let mut reader = Reader { service, options, settings: standard.clone(), wrong: Vec::new() };
        reader.read(told, check_forwarding);
        let Reader { settings, wrong, .. } = reader;
        if wrong.is_empty() {
            return settings;
        }
        for (name, reason) in wrong {
            told.service(Item::Annotation(format!("{PREFIX}{name}")), reason);
        }
        standard
    }
}

const KNOWN: [&str; 11] = [
    "drain",
    "forwarding",
    "health-checks",
    "lower-threshold",
    "one-packet",
    "persistence-prefix-ipv4",
    "persistence-prefix-ipv6",
    "scheduler",
    "scheduler-flags",
    "upper-threshold",
    "weights",
];

struct Reader<'r> {
    service: &'r Service,
    options: &'r Options,
    settings: Settings,
    wrong: Vec<(&'static str, Reason)>,
}

impl<'r> Reader<'r> {
    fn text(&self, name: &str) -> Option<&'r str> {
        let annotations = &self.service.metadata.annotations;
        annotations.get(&format!("{PREFIX}{name}")).map(|text| text.trim())
    }

    /// Reads one annotation, if it is there.
    fn given<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'r str) -> Result<T, InvalidValue>,
    ) -> Option<T> {
        let read = read(self.text(name)?);
        read.map_err(|invalid| self.wrong.push((name, invalid.into()))).ok()
    }

    fn read(
        &mut self,
        told: &mut Told,
        check_forwarding: impl FnOnce(Forwarding) -> Result<(), (u16, u16)>,
    ) {
        self.tell_unknown(told);
        if let Some(scheduler) = self.given("scheduler", balancing::scheduler) {
            let name = scheduler.to_string();
            if !self.options.allows(scheduler) {
                self.needs("scheduler", &name, "is not among the allowed schedulers");
            } else if self.options.lacking_schedulers.contains(&scheduler) {
                self.needs("scheduler", &name, "the kernel has no scheduler of this name");
            }
            self.settings.scheduler = scheduler;
            self.settings.flags = rules::flags(scheduler);
        }
        let scheduler = self.settings.scheduler;
        if let Some(flags) = self.given("scheduler-flags", |text| balancing::flags(text, scheduler))
        {
            self.settings.flags = flags;
        }
        if let Some(one_packet) = self.given("one-packet", balancing::truth) {
            self.settings.one_packet = one_packet;
            let udp = |port: &PortProtocol| *port == PortProtocol::Udp;
            if one_packet && !self.service.spec.ports.iter().any(|port| udp(&port.protocol)) {
                self.needs("one-packet", "true", "needs a UDP port");
            }
        }
        if let Some(forwarding) = self.given("forwarding", forwarding::parse) {
            self.settings.forwarding = forwarding;
            if let Err((endpoint, service)) = check_forwarding(forwarding) {
                let value = format!("{forwarding} from port {service} to port {endpoint}");
                let rule = "needs endpoints with the port of the service";
                self.wrong
                    .push(("forwarding", InvalidValue::new("forwarding", value, rule).into()));
            }
        }
        self.read_persistence();
        self.read_thresholds();
        if let Some(weights) = self.given("weights", Weights::parse) {
            if weights.are_of_pods() && !self.options.pod_weights {
                self.wrong.push(("weights", Reason::PodWeightsNotAllowed));
            }
            self.settings.weights = weights;
        }
        self.settings.drain = self.given("drain", str::parse);
        self.settings.health_checks = self.given("health-checks", health_checks);
    }

    fn needs(&mut self, name: &'static str, value: &str, rule: &'static str) {
        self.wrong.push((name, InvalidValue::new(name, value, rule).into()));
    }

    fn tell_unknown(&self, told: &mut Told) {
        let named = self.service.metadata.annotations.keys();
        let is_unknown =
            |name: &&String| name.strip_prefix(PREFIX).is_some_and(|rest| !KNOWN.contains(&rest));
        let mut unknown = named.filter(is_unknown);
        if let Some(first) = unknown.next() {
            let name = Excerpt::of(first).beginning().to_owned();
            let item = || Item::Annotation(name);
            told.many(item, Reason::UnknownAnnotation, 1 + unknown.count());
        }
    }

    fn read_persistence(&mut self) {
        for (name, read) in [
            ("persistence-prefix-ipv4", persistence::ipv4 as fn(&str) -> _),
            ("persistence-prefix-ipv6", persistence::ipv6),
        ] {
            let Some(netmask) = self.given(name, read) else { continue };
            if self.service.spec.session_affinity != SessionAffinity::ClientIp {
                let value = self.text(name).map(|text| Excerpt::of(text).quoted());
                self.needs(name, &value.unwrap_or_default(), "needs sessionAffinity: ClientIP");
            }
            match netmask {
                Netmask::Ipv4(_) => self.settings.ipv4_netmask = Some(netmask),
                Netmask::Ipv6Prefix(_) => self.settings.ipv6_netmask = Some(netmask),
            }
        }
    }

    fn read_thresholds(&mut self) {
        let upper = self.given("upper-threshold", balancing::number);
        let lower = self.given("lower-threshold", balancing::number);
        let thresholds =
            Thresholds { upper: upper.unwrap_or_default(), lower: lower.unwrap_or_default() };
        self.settings.thresholds = thresholds;
        if let Err(invalid) = sample(1, thresholds) {
            let lower = invalid.field() == "lower threshold";
            let name = if lower { "lower-threshold" } else { "upper-threshold" };
            self.wrong.push((name, invalid.into()));
        }
    }
}

/// Checks a weight and thresholds by the rules of all destinations.
fn sample(weight: u32, thresholds: Thresholds) -> Result<(), InvalidValue> {
    let address = ([192, 0, 2, 1], 80).into();
    let mut destination = Destination::masquerade(address).weight(weight);
    destination.thresholds = thresholds;
    destination.validate(ServiceId::tcp(address))
}

fn health_checks(text: &str) -> Result<Arc<str>, InvalidValue> {
    if text.len() > LONGEST_HEALTH_CHECKS {
        let value = format!("of {} bytes", text.len());
        return Err(InvalidValue::new("health-checks", value, "must be at most 65536 bytes"));
    }
    Ok(text.into())
}

/// Reads the weight of a pod, if it has one.
pub(crate) fn pod_weight(pod: &Pod) -> Option<Result<u32, InvalidValue>> {
    let text = pod.metadata.annotations.get(&format!("{PREFIX}weight"))?;
    Some(weights::parse_weight(text.trim()))
}
