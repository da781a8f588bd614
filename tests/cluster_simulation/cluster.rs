//! The objects of the cluster, as its API server has them.

use std::collections::BTreeMap;

use ipvs_netlink::kubernetes::{
    Converted, EndpointSlice, Event, Node, ObjectName, Objects, Options, Pod, Service, convert,
};

use crate::objects;
use crate::random::Random;

/// All objects.
#[derive(Debug)]
pub(crate) struct Cluster {
    random: Random,
    pub(crate) services: BTreeMap<ObjectName, Service>,
    pub(crate) slices: BTreeMap<ObjectName, EndpointSlice>,
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) pods: BTreeMap<ObjectName, Pod>,
    pub(crate) options: Options,
}

impl Cluster {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Random::fork(seed, "cluster");
        let options = objects::options(&mut random);
        let mut cluster = Self {
            random,
            services: BTreeMap::new(),
            slices: BTreeMap::new(),
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            options,
        };
        for _ in 0..60 {
            cluster.event();
        }
        cluster
    }

    /// Changes an object, and returns what a watch would tell of it.
    pub(crate) fn event(&mut self) -> Event {
        let random = &mut self.random;
        match random.below(100) {
            0..30 => {
                let service = objects::service(random);
                self.services.insert(service.metadata.object_name(), service.clone());
                Event::Service(service)
            }
            30..36 => {
                let name = objects::service_name(random);
                self.services.remove(&name);
                Event::ServiceDeleted(name)
            }
            36..80 => {
                let slice = objects::slice(random);
                self.slices.insert(slice.metadata.object_name(), slice.clone());
                Event::Slice(slice)
            }
            80..88 => {
                let name = objects::slice_name(random);
                self.slices.remove(&name);
                Event::SliceDeleted(name)
            }
            88..92 => {
                let pod = objects::pod(random);
                let name = pod.metadata.object_name();
                if random.chance(20) {
                    self.pods.remove(&name);
                    return Event::PodDeleted(name);
                }
                self.pods.insert(name, pod.clone());
                Event::Pod(pod)
            }
            92..97 => {
                let node = objects::node(random);
                let name = node.metadata.name.clone();
                if random.chance(15) {
                    self.nodes.remove(&name);
                    return Event::NodeDeleted(name);
                }
                self.nodes.insert(name, node.clone());
                Event::Node(node)
            }
            _ => {
                self.options = objects::options(random);
                Event::Options(self.options.clone())
            }
        }
    }

    /// What a list of every kind tells.
    pub(crate) fn everything(&self) -> Vec<Event> {
        let services = self.services.values().cloned().map(Event::Service);
        let slices = self.slices.values().cloned().map(Event::Slice);
        let nodes = self.nodes.values().cloned().map(Event::Node);
        let pods = self.pods.values().cloned().map(Event::Pod);
        services.chain(slices).chain(nodes).chain(pods).collect()
    }

    /// Converts all objects at once.
    pub(crate) fn converted(&self) -> Converted {
        let services: Vec<_> = self.services.values().cloned().collect();
        let slices: Vec<_> = self.slices.values().cloned().collect();
        let nodes: Vec<_> = self.nodes.values().cloned().collect();
        let pods: Vec<_> = self.pods.values().cloned().collect();
        convert(&Objects::new(&services, &slices).nodes(&nodes).pods(&pods), &self.options)
    }
}
