//! Workloads for counting instructions, over objects of Kubernetes:
//! `icount_kubernetes WORKLOAD SERVICES DESTINATIONS`.
//!
//! Each exits with 0 when it is done and checked. Only `synchronize` needs a kernel. See
//! `benches/README.md`.

#![allow(clippy::print_stderr, reason = "a program says on stderr how long it took")]

#[path = "icount/table.rs"]
#[allow(dead_code, reason = "what only the other programs need")]
mod table;

use std::error::Error;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant};

use ipvs_netlink::Client;
use ipvs_netlink::kubernetes::{
    Changes, Converter, EndpointConditions, EndpointSlice, Event, Objects, Options, Service,
    convert, scopes,
};
use ipvs_netlink::table::PlanOptions;
use ipvs_netlink::table::controller::{self, Controller, ControllerOptions, Stepped};
use table::{Outcome, Size, ensure};

/// The events of `event`.
const EVENTS: u32 = 1000;

fn main() -> ExitCode {
    table::run(|workload, size| {
        Some(match workload {
            "noop" => Ok(()),
            "text" => ensure(black_box(texts(size)).count() == size.services as usize, "texts"),
            "parse" => objects(size).map(forget),
            "convert" => convert_all(size),
            "load" => load(size).map(forget),
            "synchronize" => synchronize(size),
            "event" => event(size),
            _ => return None,
        })
    })
}

/// Leaves a value as it is when the program ends, as a daemon does.
fn forget<T>(value: T) {
    std::mem::forget(black_box(value));
}

/// The JSON of each service, and of its slice, as the API server writes them.
fn texts(size: Size) -> impl Iterator<Item = (String, String)> {
    (0..size.services).map(move |index| (service(index), slice(index, size.destinations)))
}

fn service(index: u32) -> String {
    let ip = Ipv4Addr::from_bits(0x0a60_0001 + index);
    format!(
        r#"{{"kind":"Service","apiVersion":"v1","metadata":{{"name":"service-{index:05}","namespace":"load","uid":"6f8c2a50-0f6a-4f5e-8a57-{index:012}","resourceVersion":"{index}","creationTimestamp":"2026-11-28T12:00:00Z","labels":{{"app":"app-{index:05}"}}}},"spec":{{"ports":[{{"name":"http","protocol":"TCP","port":80,"targetPort":8080}}],"selector":{{"app":"app-{index:05}"}},"clusterIP":"{ip}","clusterIPs":["{ip}"],"type":"ClusterIP","sessionAffinity":"None","ipFamilies":["IPv4"],"ipFamilyPolicy":"SingleStack","internalTrafficPolicy":"Cluster"}},"status":{{"loadBalancer":{{}}}}}}"#
    )
}

fn slice(index: u32, endpoints: u32) -> String {
    let endpoint = |number: u32| {
        let ip = Ipv4Addr::from_bits(0x0af4_0001 + index * endpoints + number);
        let node = (index + number) % 100;
        format!(
            r#"{{"addresses":["{ip}"],"conditions":{{"ready":true,"serving":true,"terminating":false}},"targetRef":{{"kind":"Pod","namespace":"load","name":"app-{index:05}-{number}","uid":"0d3e9a51-74a6-4a30-9d5c-{index:012}"}},"nodeName":"node-{node:03}","zone":"zone-a"}}"#
        )
    };
    let endpoints: Vec<String> = (0..endpoints).map(endpoint).collect();
    format!(
        r#"{{"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{{"name":"service-{index:05}-x7k2p","namespace":"load","uid":"9b1d7f3e-12aa-4c0e-b1f0-{index:012}","resourceVersion":"{index}","creationTimestamp":"2026-11-28T12:00:00Z","labels":{{"endpointslice.kubernetes.io/managed-by":"endpointslice-controller.k8s.io","kubernetes.io/service-name":"service-{index:05}"}},"annotations":{{"endpoints.kubernetes.io/last-change-trigger-time":"2026-11-28T12:00:00Z"}}}},"addressType":"IPv4","endpoints":[{}],"ports":[{{"name":"http","protocol":"TCP","port":8080}}]}}"#,
        endpoints.join(",")
    )
}

type All = (Vec<Service>, Vec<EndpointSlice>);

fn objects(size: Size) -> Result<All, Box<dyn Error>> {
    let mut all = (Vec::new(), Vec::new());
    for (service, slice) in texts(size) {
        all.0.push(serde_json::from_str(&service)?);
        all.1.push(serde_json::from_str(&slice)?);
    }
    Ok(all)
}

fn convert_all(size: Size) -> Outcome {
    let (services, slices) = objects(size)?;
    let converted =
        black_box(convert(&Objects::new(&services, &slices), &Options::new("node-000")));
    ensure(converted.table.len() == size.services as usize, "services")?;
    let destinations = size.services as usize * size.destinations as usize;
    ensure(converted.table.destinations().count() == destinations, "destinations")?;
    ensure(converted.skipped.is_empty(), "something was left out")?;
    forget((services, slices, converted));
    Ok(())
}

/// A converter that has all objects, from one batch, and the changes from nothing to that.
fn converted((services, slices): All, size: Size) -> Result<(Converter, Changes), Box<dyn Error>> {
    let mut converter = Converter::new(&Options::new("node-000"));
    let slices = slices.into_iter().map(Event::Slice);
    let events = services.into_iter().map(Event::Service).chain(slices);
    let changes = converter.apply_all(events);
    ensure(changes.set.len() == size.services as usize, "services")?;
    Ok((converter, changes))
}

fn load(size: Size) -> Result<Converter, Box<dyn Error>> {
    let (converter, changes) = converted(objects(size)?, size)?;
    forget(changes);
    Ok(converter)
}

/// Makes the table of all objects in an empty kernel, until it is read and right. Tells the seconds.
fn synchronize(size: Size) -> Outcome {
    let objects = objects(size)?;
    let begin = Instant::now();
    let mut client = Client::connect()?;
    let (converter, changes) = converted(objects, size)?;
    let scope = scopes::in_place_of_kube_proxy(&[]);
    let options = ControllerOptions::new().plan(PlanOptions::new().scope(scope));
    let mut controller = Controller::new(options.resync(Duration::from_secs(24 * 3600)));
    controller.wish_all(changes.set.into_iter().map(|(service, _)| service));
    eprintln!("{} ms: converted", begin.elapsed().as_millis());
    let (mut written, mut settled) = (0, 0);
    while !controller.is_settled() {
        let stepped = client.step(&mut controller);
        for event in controller.events() {
            match event {
                controller::Event::Done(_) => written += 1,
                controller::Event::Settled(_) => settled += 1,
                controller::Event::Failed { .. } | controller::Event::Unknown { .. } => {
                    return Err(event.to_string().into());
                }
                _ => {}
            }
        }
        if let Stepped::Until(until) = stepped {
            sleep(until.saturating_duration_since(Instant::now()));
        }
    }
    eprintln!("{} ms: the table is right", begin.elapsed().as_millis());
    ensure(written == size.services as usize * (1 + size.destinations as usize), "changes")?;
    ensure(settled == size.services as usize, "settled services")?;
    forget((converter, controller));
    Ok(())
}

/// Lets one endpoint of a service in the middle become ready and not ready.
fn event(size: Size) -> Outcome {
    let mut converter = load(size)?;
    let mut slice: EndpointSlice =
        serde_json::from_str(&slice(size.services / 2, size.destinations))?;
    for round in 1..=EVENTS {
        if let Some(endpoint) = slice.endpoints.first_mut() {
            endpoint.conditions = EndpointConditions::new(round % 2 == 0, true, false);
        }
        let changes = black_box(converter.apply(Event::Slice(slice.clone())));
        ensure(changes.set.len() == 1, "not one service")?;
    }
    forget(converter);
    Ok(())
}
