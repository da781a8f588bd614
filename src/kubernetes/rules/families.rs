//! The families of a service.

use std::net::IpAddr;

use crate::kubernetes::address;
use crate::kubernetes::excerpt::Excerpt;
use crate::kubernetes::objects::{IpFamily, Service};
use crate::kubernetes::told::Told;
use crate::kubernetes::{Options, Reason};
use crate::model::{AddressFamily, InvalidValue};

const FIELD: &str = "spec.clusterIPs";

/// The cluster IP of each family that the node serves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClusterIps {
    ipv4: Option<IpAddr>,
    ipv6: Option<IpAddr>,
}

impl ClusterIps {
    /// Source: `util/utils.go:GetClusterIPByFamily`.
    pub(crate) fn of(service: &Service, options: &Options, told: &mut Told) -> Self {
        let spec = &service.spec;
        let mut all = Self::default();
        if spec.cluster_ips.first().is_some_and(|first| *first != spec.cluster_ip)
            && !spec.cluster_ip.is_empty()
        {
            let excerpt = Excerpt::of(&spec.cluster_ip).quoted();
            let rule = "must be the first of spec.clusterIPs, which count";
            let invalid = InvalidValue::new("spec.clusterIP", excerpt, rule);
            told.address("spec.clusterIP", &spec.cluster_ip, invalid);
        }
        let first = std::slice::from_ref(&spec.cluster_ip);
        let ips: &[String] = if spec.cluster_ips.is_empty() { first } else { &spec.cluster_ips };
        for (at, text) in ips.iter().enumerate() {
            let address = match address::of_service(FIELD, text) {
                Ok(address) => address,
                Err(invalid) => {
                    told.address(FIELD, text, invalid);
                    continue;
                }
            };
            let family = address::family(address);
            let stated = spec.ip_families.get(at).map(|stated| match stated {
                IpFamily::Ipv6 => AddressFamily::Ipv6,
                _ => AddressFamily::Ipv4,
            });
            // Without families, only the first address counts, whatever its family is.
            let first = spec.ip_families.is_empty() && at == 0;
            if !first && stated != Some(family) {
                let rule = "must be of the family at the same place of spec.ipFamilies";
                told.address(FIELD, text, InvalidValue::new(FIELD, address.to_string(), rule));
            } else if !options.serves(family) {
                told.address(FIELD, text, Reason::FamilyNotServed(family));
            } else {
                let slot = all.slot(family);
                match slot {
                    Some(_) => told.address(FIELD, text, Reason::Doubled),
                    None => *slot = Some(address),
                }
            }
        }
        all
    }

    const fn slot(&mut self, family: AddressFamily) -> &mut Option<IpAddr> {
        match family {
            AddressFamily::Ipv4 => &mut self.ipv4,
            AddressFamily::Ipv6 => &mut self.ipv6,
        }
    }

    pub(crate) const fn get(&self, family: AddressFamily) -> Option<IpAddr> {
        match family {
            AddressFamily::Ipv4 => self.ipv4,
            AddressFamily::Ipv6 => self.ipv6,
        }
    }

    /// Returns an error for addresses of a family in which the service does not exist: it has
    /// neither node ports nor external addresses there.
    pub(crate) fn check(&self, family: AddressFamily, options: &Options) -> Result<(), Reason> {
        match self.get(family) {
            Some(_) => Ok(()),
            None if options.serves(family) => Err(Reason::NoClusterIpOfFamily(family)),
            None => Err(Reason::FamilyNotServed(family)),
        }
    }
}
