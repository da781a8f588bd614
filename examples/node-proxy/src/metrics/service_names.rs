//! Which Kubernetes service each virtual service belongs to, for joins with the series of the kernel's table.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::Arc;

use ipvs_netlink::ServiceId;
use ipvs_netlink::kubernetes::{Changes, ObjectName};

const NAME: &str = "node_proxy_service_info";

/// The names of the virtual services that the conversion has made.
#[derive(Debug, Default)]
pub(super) struct ServiceNames(BTreeMap<ServiceId, (ObjectName, Arc<str>)>);

impl ServiceNames {
    pub(super) fn take(&mut self, changes: &Changes) {
        for id in &changes.removed {
            self.0.remove(id);
        }
        for (service, facts) in &changes.set {
            let named = (facts.service.clone(), Arc::clone(&facts.port));
            self.0.insert(service.id(), named);
        }
    }

    /// Prints one sample for each virtual service, with the labels `protocol`, `address` and `port` of the kernel's
    /// table.
    pub(super) fn write(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "# HELP {NAME} The Kubernetes service of each virtual service, always 1")?;
        writeln!(text, "# TYPE {NAME} gauge")?;
        for (id, (service, port)) in &self.0 {
            let ServiceId::Address { protocol, address } = id else { continue };
            writeln!(
                text,
                "{NAME}{{protocol=\"{protocol}\",address=\"{}\",port=\"{}\",service_namespace=\"{}\",\
                 service_name=\"{}\",service_port=\"{}\"}} 1",
                address.ip(),
                address.port(),
                Value(service.namespace()),
                Value(service.name()),
                Value(port)
            )?;
        }
        Ok(())
    }
}

/// The value of a label. The names of ports are those of whoever made the service.
struct Value<'v>(&'v str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|it| match it {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            it => f.write_char(it),
        })
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{Converter, Event, Options, Service, ServicePort};

    use super::*;

    fn samples(names: &ServiceNames) -> Vec<String> {
        let mut text = String::new();
        names.write(&mut text).unwrap();
        text.lines().skip(2).map(str::to_owned).collect()
    }

    #[test]
    fn virtual_services_have_the_names_of_their_services_while_they_are_there() {
        let (mut names, mut converter) =
            (ServiceNames::default(), Converter::new(&Options::new("node-a")));
        let mut web = Service::new("shop", "web");
        web.spec.cluster_ip = "10.96.0.10".into();
        let mut port = ServicePort::new(80);
        port.name = "a\"\n\\".into();
        web.spec.ports.push(port);
        names.take(&converter.apply(Event::Service(web.clone())));
        assert_eq!(
            samples(&names),
            [concat!(
                "node_proxy_service_info{protocol=\"TCP\",address=\"10.96.0.10\",port=\"80\",",
                "service_namespace=\"shop\",service_name=\"web\",service_port=\"a\\\"\\n\\\\\"} 1"
            )]
        );
        names.take(&converter.apply(Event::ServiceDeleted(web.metadata.object_name())));
        assert_eq!(samples(&names), [""; 0]);
    }
}
