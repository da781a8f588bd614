//! At which addresses a service has virtual services.

use std::net::IpAddr;
use std::sync::Arc;

use crate::kubernetes::address;
use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::{IpMode, SOURCE_RANGES, Service};
use crate::kubernetes::rules::families::ClusterIps;
use crate::kubernetes::rules::{MOST_SOURCE_RANGES, check_count};
use crate::kubernetes::told::Told;
use crate::kubernetes::{Exposure, Options, Reason};
use crate::model::{AddressFamily, InvalidValue, Network};

const EXTERNAL: &str = "spec.externalIPs";
const INGRESS: &str = "status.loadBalancer.ingress";
const RANGES: &str = "spec.loadBalancerSourceRanges";
const RULE: &str = "must be a network; the addresses of the load balancer are not served";

/// An address at which each port of a service has a virtual service.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Front {
    pub(crate) exposure: Exposure,
    pub(crate) address: IpAddr,
}

/// The addresses of a service, but for those of node ports.
#[derive(Debug)]
pub(crate) struct Fronts {
    pub(crate) all: Vec<Front>,
    ranges: Option<Ranges>,
}

/// The networks whose clients may use the addresses of the load balancer.
#[derive(Clone, Debug)]
struct Ranges {
    ipv4: Arc<[Network]>,
    ipv6: Arc<[Network]>,
}

impl Fronts {
    /// Source: `proxier.go:syncProxyRules`, `serviceport.go:newBaseServiceInfo`.
    pub(crate) fn of(
        service: &Service,
        cluster_ips: &ClusterIps,
        options: &Options,
        told: &mut Told,
    ) -> Self {
        let mut all = Vec::with_capacity(1);
        for family in options.families.iter().copied() {
            if let Some(address) = cluster_ips.get(family) {
                match check_networks(address, options) {
                    Ok(()) => all.push(Front { exposure: Exposure::ClusterIp, address }),
                    Err(reason) => told.address("spec.clusterIPs", &address.to_string(), reason),
                }
            }
        }
        let read = |field, text: &str| -> Result<IpAddr, Reason> {
            let address = address::of_service(field, text)?;
            cluster_ips.check(address::family(address), options)?;
            check_networks(address, options)?;
            Ok(address)
        };
        for text in &service.spec.external_ips {
            match read(EXTERNAL, text) {
                Ok(address) => all.push(Front { exposure: Exposure::ExternalIp, address }),
                Err(reason) => told.address(EXTERNAL, text, reason),
            }
        }
        // Without the ranges that cannot be read, more clients than wanted might have access.
        let ranges = ranges(service, told);
        for ingress in &service.status.load_balancer.ingress {
            let address = match &ingress.ip_mode {
                _ if ingress.ip.is_empty() => Err(Reason::HostnameOnly),
                IpMode::Vip => read(INGRESS, &ingress.ip).and_then(|address| match &ranges {
                    Ok(_) => Ok(address),
                    Err(invalid) => Err(invalid.clone().into()),
                }),
                // Source: `util/utils.go:IsVIPMode`.
                IpMode::Proxy => Err(Reason::ProxyMode),
                IpMode::Other(word) => Err(InvalidValue::new(
                    "ipMode",
                    Excerpt::of(word).quoted(),
                    "must be VIP or Proxy",
                )
                .into()),
            };
            match address {
                Ok(address) => all.push(Front { exposure: Exposure::LoadBalancer, address }),
                Err(reason) => {
                    let text = if ingress.ip.is_empty() { &ingress.hostname } else { &ingress.ip };
                    told.address(INGRESS, text, reason);
                }
            }
        }
        Self { all, ranges: ranges.unwrap_or_default() }
    }

    /// Removes the addresses of load balancers if a firewall would have too much to do for all ports.
    pub(crate) fn limit_ranges(&mut self, ports: usize, told: &mut Told) {
        let of_front = |it: &Front| {
            self.ranges(it.exposure, address::family(it.address)).map_or(0, |it| it.len())
        };
        let count = self.all.iter().map(of_front).sum::<usize>().saturating_mul(ports);
        let what = "source ranges of all ports";
        let Err(reason) = check_count(what, MOST_SOURCE_RANGES, count) else { return };
        self.all.retain(|Front { exposure, address }| {
            let stays = *exposure != Exposure::LoadBalancer;
            if !stays {
                told.address(INGRESS, &address.to_string(), reason.clone());
            }
            stays
        });
    }

    pub(crate) fn of_family(&self, family: AddressFamily) -> impl Iterator<Item = Front> {
        self.all.iter().copied().filter(move |front| address::family(front.address) == family)
    }

    /// Returns the networks whose clients may use an address, or `None` if all clients may.
    pub(crate) fn ranges(
        &self,
        exposure: Exposure,
        family: AddressFamily,
    ) -> Option<Arc<[Network]>> {
        let ranges = self.ranges.as_ref().filter(|_| exposure == Exposure::LoadBalancer)?;
        Some(Arc::clone(match family {
            AddressFamily::Ipv4 => &ranges.ipv4,
            AddressFamily::Ipv6 => &ranges.ipv6,
        }))
    }
}

/// Reads the field, or where it is empty the annotation.
///
/// Source: `pkg/api/v1/service/util.go:GetLoadBalancerSourceRanges`. kube-proxy reads the field only.
fn ranges(service: &Service, told: &mut Told) -> Result<Option<Ranges>, InvalidValue> {
    let of_field = &service.spec.load_balancer_source_ranges;
    let of_annotation = || service.metadata.annotations.get(SOURCE_RANGES).map(|it| it.trim());
    let ranges = match of_annotation().filter(|text| of_field.is_empty() && !text.is_empty()) {
        Some(texts) => read_ranges(SOURCE_RANGES, texts.split(',')),
        None => read_ranges(RANGES, of_field.iter().map(String::as_str)),
    };
    ranges.map_err(|(text, invalid)| {
        if service.status.load_balancer.ingress.is_empty() {
            told.address(invalid.field(), text, invalid.clone());
        }
        invalid
    })
}

fn read_ranges<'t>(
    field: &'static str,
    texts: impl Iterator<Item = &'t str>,
) -> Result<Option<Ranges>, (&'t str, InvalidValue)> {
    let read = |text: &'t str| {
        let invalid = || (text, InvalidValue::new(field, Excerpt::of(text).quoted(), RULE));
        address::parse_network(text).ok_or_else(invalid)
    };
    let all = texts.map(read).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Ok(None);
    }
    let (ipv4, ipv6): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.address().is_ipv4());
    Ok(Some(Ranges { ipv4: ipv4.into(), ipv6: ipv6.into() }))
}

/// Refuses addresses that the options leave to others.
pub(crate) fn check_networks(address: IpAddr, options: &Options) -> Result<(), Reason> {
    let holds = |network: &&Network| network.contains(address);
    if let Some(network) = options.exclude.iter().find(holds) {
        return Err(Reason::Excluded(*network));
    }
    match &options.within {
        Some(within) if !within.iter().any(|network| holds(&network)) => Err(Reason::NotWithin),
        _ => Ok(()),
    }
}
