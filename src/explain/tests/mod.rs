//! Properties of predictions, without a kernel. `tests/live_explain` compares them with one.

mod kept;
mod limits;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::model::{
    AddressFamily, Change, Connections, Destination, DestinationEntry, Scheduler, Service,
    ServiceFlags, ServiceId, Setting, Settings, Stats, Tunnel,
};
use crate::procfs::Connection;

const HASHING: [Scheduler; 3] =
    [Scheduler::SOURCE_HASHING, Scheduler::DESTINATION_HASHING, Scheduler::MAGLEV_HASHING];

fn web(scheduler: Scheduler) -> Service {
    Service::tcp("192.0.2.10:80".parse().unwrap()).scheduler(scheduler)
}

fn server(host: u8) -> Destination {
    Destination::masquerade(([10, 0, 0, host], 80).into())
}

fn entry(destination: Destination, active: u32, inactive: u32) -> DestinationEntry {
    let connections = Connections { active, inactive, ..Connections::default() };
    DestinationEntry::new(destination, connections, Stats::default())
}

fn view(service: &Service, hosts: impl IntoIterator<Item = u8>) -> View {
    let entries = hosts.into_iter().map(|host| entry(server(host), 0, 0)).collect();
    View::new(service, entries)
        .table_sizes(TableSizes::DEFAULT_BUILD)
        .address_is_local(Some(true))
        .connections(Vec::new())
        .other_services([])
        .settings(&defaults())
}

/// The settings as the kernel has them by default.
fn defaults() -> Settings {
    Settings::new()
        .with(Setting::CONN_REUSE_MODE, 1)
        .with(Setting::EXPIRE_NODEST_CONN, false)
        .with(Setting::EXPIRE_QUIESCENT_TEMPLATE, false)
}

fn ask(client: &str, service: &Service) -> Attempt {
    Attempt::new(client.parse().unwrap(), service.id)
}

fn rows(lines: &[&str]) -> Vec<Connection> {
    lines.iter().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn each_reason_is_told() {
    let service = web(Scheduler::SOURCE_HASHING);
    let attempt = ask("198.51.100.7", &service);
    let reason = |view: &View, attempt: &Attempt| match view.explain(attempt).answer {
        Answer::Nowhere(reason) => reason,
        other => panic!("{other}"),
    };
    let with = |change: &dyn Fn(Destination) -> Destination, active| {
        let entries = (2..5).map(|host| entry(change(server(host)), active, 0)).collect();
        View::new(&service, entries).table_sizes(TableSizes::DEFAULT_BUILD)
    };
    assert_eq!(reason(&View::without_service(), &attempt), Reason::NoService);
    assert_eq!(reason(&view(&service, []), &attempt), Reason::NoDestination);
    assert_eq!(reason(&with(&|it| it.weight(0), 0), &attempt), Reason::AllQuiesced);
    assert_eq!(reason(&with(&|it| it.thresholds(5, 0), 5), &attempt), Reason::AllOverloaded);
    let away = view(&service, [2]).address_is_local(Some(false));
    let address = "192.0.2.10:80".parse().unwrap();
    assert_eq!(reason(&away, &attempt), Reason::AddressNotLocal(address));
    assert_eq!(reason(&view(&service, [2]), &ask("2001:db8::1", &service)), Reason::OtherFamily);
    assert_eq!(reason(&view(&service, [2]), &attempt.client_port(20)), Reason::FtpData);
    for other in ["TCP 192.0.2.10:81", "UDP 192.0.2.10:80", "TCP 192.0.2.11:80", "FWM 5"] {
        let other = Attempt::new(attempt.client, other.parse().unwrap());
        assert_eq!(reason(&view(&service, [2]), &other), Reason::OtherService(service.id));
    }
    let away = View::without_service().address_is_local(Some(false)).explain(&attempt);
    assert_eq!(away.notes, [Note::NoService(service.id)]);
    let none = web(Scheduler::NONE);
    assert_eq!(reason(&view(&none, [2]), &attempt), Reason::NoScheduler);
    let full = web(Scheduler::WEIGHTED_OVERFLOW);
    let full = View::new(&full, vec![entry(server(2), 2, 0)]);
    assert_eq!(reason(&full, &attempt), Reason::AllFull);
    let at_0 = Service::tcp("192.0.2.10:0".parse().unwrap());
    assert_eq!(reason(&view(&at_0, [2]), &attempt), Reason::PortZero);
    let ftp = Service::tcp("192.0.2.10:21".parse().unwrap());
    let data = Attempt::new(attempt.client, "TCP 192.0.2.10:2000".parse().unwrap());
    assert_eq!(reason(&view(&ftp, [2]), &data), Reason::FtpWithoutPersistence);

    let half = view(&service, [2, 3]);
    let drained = half.after(&Change::UpdateDestination(service.id, server(2).weight(0)));
    let refused = (0..=255).map(|host| ask(&format!("198.51.100.{host}"), &service));
    let refused = refused.filter(|attempt| {
        matches!(drained.explain(attempt).answer, Answer::Nowhere(Reason::Slot(_)))
    });
    assert!(refused.count() > 50, "one of two destinations owns about half of the slots");
}

#[test]
fn each_kind_of_answer_is_a_sentence() {
    let line = |view: &View| {
        let told = view.explain(&ask("198.51.100.7", view.service().unwrap())).to_string();
        told.lines().next().unwrap().replace("198.51.100.7 -> TCP 192.0.2.10:80 ", "")
    };
    let turn = web(Scheduler::ROUND_ROBIN);
    assert_eq!(line(&view(&turn, [2])), "goes to 10.0.0.2:80: no other destination is available");
    assert_eq!(line(&view(&turn, [2, 3])), "goes to one of 10.0.0.2:80, 10.0.0.3:80: in turn");
    assert_eq!(line(&view(&turn, [])), "goes nowhere: the service has no destination");
    let unknown = view(&web(Scheduler::SOURCE_HASHING), [2, 3]).before_linux_4_18(true);
    assert_eq!(
        line(&unknown),
        "goes to one of 10.0.0.2:80, 10.0.0.3:80, or is refused; unknown: how a kernel before \
         Linux 4.18 hashes"
    );
}

#[test]
fn direct_routing_leaves_the_port() {
    let service = web(Scheduler::ROUND_ROBIN);
    let attempt = ask("198.51.100.7", &service);
    let notes = |destination: Destination| {
        let view = View::new(&service, vec![entry(destination, 0, 0)]).address_is_local(Some(true));
        view.explain(&attempt).notes
    };
    let other: SocketAddr = "10.0.0.2:8080".parse().unwrap();
    assert_eq!(notes(Destination::masquerade(other)), []);
    let stays = Note::PortStays { id: other.into(), port: 80 };
    assert_eq!(notes(Destination::direct_route(other)), std::slice::from_ref(&stays));
    assert_eq!(notes(Destination::tunnel(other, Tunnel::Ipip)), [stays]);
    assert_eq!(notes(Destination::direct_route("10.0.0.2:80".parse().unwrap())), []);
    let v6: SocketAddr = "[2001:db8::2]:80".parse().unwrap();
    assert_eq!(notes(Destination::tunnel(v6, Tunnel::Ipip)), [Note::MixedFamilies(v6.into())]);
}

#[test]
fn the_size_of_a_table_can_matter() {
    let service = web(Scheduler::SOURCE_HASHING);
    let unknown = view(&service, [2, 3, 4]).table_sizes(TableSizes::UNKNOWN);
    let told = unknown.explain(&ask("198.51.100.7", &service));
    let Answer::Undetermined { missing, refusal: false, possible } = &told.answer else {
        panic!("{told}");
    };
    assert_eq!(missing, &[Missing::TableSize(Scheduler::SOURCE_HASHING)]);
    assert!(possible.len() > 1);
    // With one destination the size does not matter.
    let told = view(&service, [2])
        .table_sizes(TableSizes::UNKNOWN)
        .explain(&ask("198.51.100.7", &service));
    assert_eq!(told.destination(), Some(server(2).id), "{told}");
    let old = view(&service, [2, 3]).before_linux_4_18(true);
    let told = old.explain(&ask("198.51.100.7", &service));
    assert!(
        matches!(&told.answer, Answer::Undetermined { missing, .. } if missing == &[Missing::OldHash])
    );
}

#[test]
fn the_last_weight_matters_to_mh_alone() {
    for scheduler in HASHING {
        let service = web(scheduler);
        let weights = |host: u8| entry(server(host).weight(u32::from(host % 2)), 0, 0);
        let drained = View::new(&service, (2..6).map(weights).collect());
        let drained = drained.table_sizes(TableSizes::DEFAULT_BUILD);
        let attempt = ask("198.51.100.7", &service);
        let told = drained.explain(&attempt);
        let undetermined = matches!(told.answer, Answer::Undetermined { .. });
        assert_eq!(undetermined, scheduler == Scheduler::MAGLEV_HASHING, "{told}");
        let known = drained.last_weight(server(2).id, 0).last_weight(server(4).id, 7);
        let told = known.explain(&attempt);
        assert!(!matches!(told.answer, Answer::Undetermined { .. }), "{told}");
    }
}

#[test]
fn dh_needs_the_address_and_sh_port_needs_the_port() {
    let marked = Service::fwmark(5, AddressFamily::Ipv4).scheduler(Scheduler::DESTINATION_HASHING);
    let attempt = ask("198.51.100.7", &marked);
    let told = view(&marked, [2, 3]).explain(&attempt);
    assert!(
        matches!(&told.answer, Answer::Undetermined { missing, .. } if missing == &[Missing::Address])
    );
    let told = view(&marked, [2, 3]).explain(&attempt.address("192.0.2.10:80".parse().unwrap()));
    assert!(told.destination().is_some(), "{told}");
    let by_port = web(Scheduler::SOURCE_HASHING).flags(ServiceFlags::SH_PORT);
    let attempt = ask("198.51.100.7", &by_port);
    let told = view(&by_port, [2, 3]).explain(&attempt);
    assert!(
        matches!(&told.answer, Answer::Undetermined { missing, .. } if missing == &[Missing::ClientPort])
    );
    assert!(view(&by_port, [2, 3]).explain(&attempt.client_port(4000)).destination().is_some());
}

#[test]
fn mh_moves_little_and_sh_moves_much() {
    let moved = |scheduler, change: &dyn Fn(ServiceId) -> Change| {
        let service = web(scheduler);
        let before = view(&service, 2..=11);
        before.moves(&before.after(&change(service.id))).unwrap()
    };
    let remove = |id| Change::DeleteDestination(id, server(5).id);
    let mh = moved(Scheduler::MAGLEV_HASHING, &remove);
    assert!((0.10..0.15).contains(&mh.share()), "{mh}");
    let sh = moved(Scheduler::SOURCE_HASHING, &remove);
    assert!(sh.share() > 0.8, "{sh}");
    let drain = |id| Change::UpdateDestination(id, server(5).weight(0));
    let mh = moved(Scheduler::MAGLEV_HASHING, &drain);
    assert_eq!((mh.moved, mh.lost + mh.stay), (0, mh.slots), "{mh}");
    assert_eq!(
        view(&web(Scheduler::ROUND_ROBIN), [2]).moves(&view(&web(Scheduler::ROUND_ROBIN), [2])),
        None
    );
}

fn weight() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), 1..5_u32, any::<u32>()]
}

fn scheduler() -> impl Strategy<Value = Scheduler> {
    prop_oneof![select(HASHING.to_vec()), select(Scheduler::ALL.to_vec())]
}

prop_compose! {
    fn any_view()(
        scheduler in scheduler(),
        bits in 0..8_u32,
        persistent in any::<bool>(),
        entries in vec((2..9_u8, weight(), 0..9_u32, 0..9_u32, 0..4_u32, any::<bool>()), 0..7),
        known in any::<bool>(),
        marked in any::<bool>(),
    ) -> View {
        let id = match marked {
            true => ServiceId::fwmark(5, AddressFamily::Ipv4),
            false => ServiceId::tcp("192.0.2.10:80".parse().unwrap()),
        };
        let mut service =
            Service::new(id).scheduler(scheduler).flags(ServiceFlags::from_bits_retain(bits << 2));
        if persistent {
            service = service.persistent(Duration::from_secs(60));
        }
        let mut list: Vec<DestinationEntry> = Vec::new();
        for (host, weight, active, upper, lower, v6) in entries {
            let destination = match v6 {
                true => Destination::tunnel(format!("[2001:db8::{host}]:80").parse().unwrap(), Tunnel::Ipip),
                false => server(host),
            };
            if list.iter().all(|it| it.id() != destination.id) {
                list.push(entry(destination.weight(weight).thresholds(upper, lower), active, 1));
            }
        }
        let view = View::new(&service, list).connections(Vec::new());
        if !known {
            return view.table_sizes(TableSizes::UNKNOWN.maglev_index(8).source_bits(5));
        }
        let ids: Vec<_> = view.destinations().iter().map(DestinationEntry::id).collect();
        let view = ids.into_iter().fold(view, |view, id| view.last_weight(id, 1).overloaded(id, false));
        view.table_sizes(TableSizes::UNKNOWN.maglev_index(8).source_bits(5))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn only_destinations_that_take_connections_are_possible(
        view in any_view(), client in any::<IpAddr>(), port in any::<Option<u16>>(), to in any::<u16>(),
    ) {
        let service = view.service().unwrap();
        let mut attempt = Attempt::new(client, service.id);
        attempt.client_port = port;
        if service.id.address().is_none() {
            attempt = attempt.address(([192, 0, 2, 10], to).into());
        }
        let told = view.explain(&attempt);
        prop_assert!(!told.to_string().is_empty());
        for id in told.possible() {
            let candidate = told.candidates.iter().find(|it| it.id == *id).unwrap();
            // `lblc` can have cached one that is overloaded.
            let lblc = Scheduler::LOCALITY_BASED_LEAST_CONNECTION;
            let takes = match candidate.availability {
                Availability::Available | Availability::Unknown => true,
                Availability::Overloaded => service.scheduler == lblc,
                Availability::Quiesced => false,
            };
            prop_assert!(takes, "{told}");
        }
        let served = told.candidates.iter().any(|it| it.availability == Availability::Available);
        if !served {
            prop_assert_eq!(told.destination(), None);
        }
        if let Answer::Undetermined { missing, .. } = &told.answer {
            prop_assert!(!missing.is_empty(), "{told}");
        }
        if let Answer::OneOf { possible, .. } = &told.answer {
            prop_assert!(!possible.is_empty(), "{told}");
        }
    }

    #[test]
    fn moves_are_consistent(
        before in any_view(), host in 2..9_u8, weight in weight(), kind in 0..3_u8,
    ) {
        let id = before.service().unwrap().id;
        let change = match kind {
            0 => Change::AddDestination(id, server(host).weight(weight)),
            1 => Change::UpdateDestination(id, server(host).weight(weight)),
            _ => Change::DeleteDestination(id, server(host).id),
        };
        let after = before.after(&change);
        let Some(moves) = before.moves(&after) else { return Ok(()) };
        let Moves { slots, stay, moved, lost, gained, refused, depend } = moves;
        prop_assert_eq!(stay + moved + lost + gained + refused + depend, slots);
        let back = after.moves(&before).unwrap();
        prop_assert_eq!((back.stay, back.moved, back.lost, back.gained), (stay, moved, gained, lost));
        let same = before.moves(&before).unwrap();
        prop_assert_eq!(same.moved + same.lost + same.gained, 0);
        prop_assert!((0.0..=1.0).contains(&moves.share()));
    }
}
