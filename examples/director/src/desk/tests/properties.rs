//! Whatever happens in whatever order, the runner, the state file and the orders agree.

use std::collections::BTreeMap;

use ipvs_netlink::health::MaintenanceKind;
use ipvs_netlink::table::controller::Event as ControllerEvent;
use proptest::prelude::*;

use crate::configuration::Configuration;
use crate::control::protocol::{Answer, Order};
use crate::desk::Desk;
use crate::desk::tests::{SECOND, Told, begin, configured, later, server, service};
use crate::state::{Place, Saved};

/// What happens.
#[derive(Clone, Debug)]
enum Step {
    Order(Order),
    /// A file with these services: for each, its servers with their weights.
    Reload(Vec<Vec<(u8, u32)>>),
    Pass(u32),
    Restart(u32),
    Left(u16),
}

fn step() -> impl Strategy<Value = Step> {
    let place = (prop::option::of(0_u16..4), 1_u8..5);
    let order = (place, any::<bool>(), prop::option::of(0_u32..100), 0..3).prop_map(
        |((port, host), out, number, what)| {
            let (service, destination) = (port.map(|port| service(80 + port)), server(host));
            let kind = if out { MaintenanceKind::Out } else { MaintenanceKind::Drain };
            Step::Order(match what {
                0 => Order::EndMaintenance { service, destination },
                1 => Order::Weight { service, destination, weight: number },
                _ => {
                    let lasts = number.map(|seconds| seconds * SECOND);
                    Order::Maintain { service, destination, kind, by: "p".to_owned(), lasts }
                }
            })
        },
    );
    let servers = prop::collection::btree_map(1_u8..5, 1_u32..3, 0..4);
    let servers = servers.prop_map(|servers| servers.into_iter().collect());
    prop_oneof![
        6 => order,
        3 => prop::collection::vec(servers, 0..4).prop_map(Step::Reload),
        2 => (0_u32..60).prop_map(Step::Pass),
        1 => (0_u32..60).prop_map(Step::Restart),
        1 => (80_u16..84).prop_map(Step::Left),
    ]
}

fn file(services: &[Vec<(u8, u32)>]) -> Configuration {
    let services = services.iter().zip(80..).map(|(servers, port)| configured(port, servers));
    let services = services.map(|it| (it.table.id(), it)).collect();
    Configuration { services, ..Configuration::default() }
}

/// What operators have ordered, as a simple program would keep it.
#[derive(Debug, Default)]
struct Model {
    maintained: BTreeMap<Place, (MaintenanceKind, Option<std::time::SystemTime>)>,
    weights: BTreeMap<Place, u32>,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn the_runner_and_the_file_have_what_was_ordered(steps in prop::collection::vec(step(), 1..40)) {
        let mut now = begin();
        let mut present = file(&[vec![(1, 1), (2, 1)], vec![(1, 1)]]);
        let mut desk = Desk::new(present.clone(), Saved::default(), now);
        let mut told = Told::default();
        told.take(&mut desk, now);
        let mut model = Model::default();
        for step in steps {
            let with = |service: Option<_>, destination| -> Vec<_> {
                let all = present.services.values();
                let all = all.filter(|it| it.table.destination(destination).is_some());
                let all = all.map(|it| it.table.id());
                all.filter(|id| service.is_none_or(|wanted| wanted == *id)).collect()
            };
            let mut watches = None;
            match step {
                Step::Order(order) => {
                    let places: Vec<Place> = match &order {
                        Order::Maintain { service, destination, .. }
                        | Order::EndMaintenance { service, destination }
                        | Order::Weight { service, destination, .. } => {
                            with(*service, *destination).into_iter().map(|id| (id, *destination)).collect()
                        }
                        _ => unreachable!(),
                    };
                    let mut works = !places.is_empty();
                    match &order {
                        Order::Maintain { kind, lasts, .. } => {
                            let until = lasts.map(|lasts| now.wall + lasts);
                            model.maintained.extend(places.iter().map(|it| (*it, (*kind, until))));
                        }
                        Order::EndMaintenance { .. } => {
                            let ended = places.iter().filter(|it| model.maintained.remove(it).is_some());
                            works = ended.count() > 0;
                        }
                        Order::Weight { weight: Some(weight), .. } => {
                            model.weights.extend(places.iter().map(|it| (*it, *weight)));
                        }
                        Order::Weight { .. } => {
                            model.weights.retain(|place, _| !places.contains(place));
                        }
                        _ => {}
                    }
                    let answer = desk.order(order, "q", now);
                    prop_assert_eq!(matches!(answer, Answer::Done { .. }), works);
                }
                Step::Reload(services) => {
                    let new = file(&services);
                    prop_assert!(desk.examine(&new).is_ok());
                    let differs = |it: &&_| present.services.get(*it) != new.services.get(*it);
                    watches = Some(new.services.keys().filter(differs).count());
                    present = new;
                    desk.reload(present.clone(), now);
                }
                Step::Pass(seconds) => {
                    now = later(now, seconds * SECOND);
                    desk.pass(now);
                }
                Step::Restart(seconds) => {
                    now = later(now, seconds * SECOND);
                    let text = desk.saved().0.text();
                    desk = Desk::new(present.clone(), Saved::parse(text.as_bytes()).unwrap(), now);
                    told = Told::default();
                }
                Step::Left(port) => {
                    desk.controller_event(&ControllerEvent::Left(service(port)), now);
                }
            }
            let has = |place: &Place| {
                let service = present.services.get(&place.0);
                service.is_some_and(|it| it.table.destination(place.1).is_some())
            };
            model.maintained.retain(|place, (_, until)| {
                has(place) && until.is_none_or(|until| until > now.wall)
            });
            model.weights.retain(|place, _| has(place));
            desk.pass(now);
            let log = told.take(&mut desk, now);
            if let Some(watches) = watches {
                let watched = log.iter().filter(|line| line.starts_with("watch"));
                prop_assert_eq!(watched.count(), watches);
            }
            // The runner.
            let in_runner: BTreeMap<_, _> =
                told.maintained.iter().map(|(place, it)| (*place, it.kind)).collect();
            let ordered: BTreeMap<_, _> =
                model.maintained.iter().map(|(place, (kind, _))| (*place, *kind)).collect();
            prop_assert_eq!(&in_runner, &ordered);
            prop_assert!(told.watched.keys().eq(present.services.keys()));
            for (id, table) in &told.watched {
                for desired in present.services[id].table.destinations() {
                    let ordered = model.weights.get(&(*id, desired.id())).copied();
                    let weight = table.destination(desired.id()).unwrap().weight();
                    prop_assert_eq!(weight, ordered.or(desired.weight()));
                }
            }
            // The state file.
            let (saved, _) = desk.saved();
            prop_assert_eq!(&saved.weights, &model.weights);
            let kept = saved.maintenances.iter().map(|(place, it)| (*place, (it.kind, it.until)));
            prop_assert_eq!(kept.collect::<BTreeMap<_, _>>(), model.maintained.clone());
            prop_assert!(present.services.keys().all(|id| saved.owned.contains(id)));
        }
    }
}
