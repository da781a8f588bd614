//! Large tables, and inputs that make a prediction impossible.

use std::time::{Duration, Instant};

use super::{ask, entry, server, view, web};
use crate::explain::{Answer, Missing, Reason, Rule, TableSizes, View, Why};
use crate::model::{
    AddressFamily, Change, Destination, DestinationEntry, Protocol, Scheduler, Service,
    ServiceFlags,
};

fn many(count: u16, change: impl Fn(Destination) -> Destination) -> Vec<DestinationEntry> {
    let server = |n: u16| {
        let [high, low] = n.to_be_bytes();
        entry(change(Destination::masquerade(([10, 1, high, low], 80).into())), 0, 0)
    };
    (0..count).map(server).collect()
}

/// Where the size is unknown, that is the reason, also if the smallest table is too small.
#[test]
fn more_destinations_than_the_smallest_table_has_slots() {
    let service = web(Scheduler::MAGLEV_HASHING);
    let attempt = ask("198.51.100.7", &service);
    let missing = |tables| {
        let told = View::new(&service, many(252, |it| it)).table_sizes(tables).explain(&attempt);
        match told.answer {
            Answer::Undetermined { missing, .. } => missing,
            _ => Vec::new(),
        }
    };
    let size = Missing::TableSize(Scheduler::MAGLEV_HASHING);
    assert_eq!(missing(TableSizes::UNKNOWN), [size]);
    assert_eq!(missing(TableSizes::UNKNOWN.maglev_index(8)), [Missing::FormerTable]);
    assert_eq!(missing(TableSizes::DEFAULT_BUILD), []);
}

#[test]
fn mh_hashes_otherwise_on_other_machines() {
    for scheduler in [Scheduler::MAGLEV_HASHING, Scheduler::SOURCE_HASHING] {
        let service = web(scheduler);
        let other = view(&service, [2, 3]).is_32_bits_or_big_endian(true);
        let told = other.explain(&ask("198.51.100.7", &service));
        let is_unknown = matches!(
            &told.answer,
            Answer::Undetermined { missing, .. } if missing == &[Missing::ForeignHash]
        );
        assert_eq!(is_unknown, scheduler == Scheduler::MAGLEV_HASHING, "{told}");
        assert_eq!(other.moves(&other).is_none(), is_unknown);
    }
}

#[test]
fn a_client_on_this_host_needs_no_local_address() {
    let service = web(Scheduler::SOURCE_HASHING);
    let away = view(&service, [2]).address_is_local(Some(false));
    let attempt = ask("198.51.100.7", &service);
    let goes = |view: &View| view.explain(&attempt).destination();
    assert_eq!(goes(&away), None);
    assert_eq!(goes(&away.clone().client_is_local(Some(false))), None);
    assert_eq!(goes(&away.clone().client_is_local(Some(true))), Some(server(2).id));
    let unknown = away.address_is_local(None);
    assert_eq!(unknown.explain(&attempt).notes.len(), 1);
    assert_eq!(unknown.client_is_local(Some(true)).explain(&attempt).notes, []);
}

#[test]
fn other_protocols_are_not_scheduled() {
    let marked = Service::fwmark(5, AddressFamily::Ipv4);
    for (protocol, is_scheduled) in
        [(Protocol::TCP, true), (Protocol::SCTP, true), (Protocol::from_number(50), false)]
    {
        let attempt = ask("198.51.100.7", &marked).protocol(protocol);
        let told = view(&marked, [2]).explain(&attempt);
        assert_eq!(told.answer != Answer::Nowhere(Reason::OtherProtocol(protocol)), is_scheduled);
    }
}

/// `lblc` goes on with the destination that it has cached though that is over its threshold.
#[test]
fn lblc_can_have_cached_a_destination_that_is_over_its_threshold() {
    let answer = |scheduler, entries: Vec<DestinationEntry>| {
        let service = web(scheduler);
        View::new(&service, entries).explain(&ask("198.51.100.7", &service)).answer
    };
    let (lblc, lblcr) = (
        Scheduler::LOCALITY_BASED_LEAST_CONNECTION,
        Scheduler::LOCALITY_BASED_LEAST_CONNECTION_WITH_REPLICATION,
    );
    let rule = Rule::Locality;
    let over = |host| entry(server(host).weight(9).thresholds(5, 0), 5, 0);
    let free = |host| entry(server(host).weight(9).thresholds(5, 0), 1, 0);
    let one_free = || vec![over(2), free(3)];
    let possible = vec![server(3).id, server(2).id];
    assert_eq!(answer(lblc, one_free()), Answer::OneOf { possible, rule });
    assert_eq!(
        answer(lblcr, one_free()),
        Answer::Destination { id: server(3).id, why: Why::First(rule) }
    );
    let all_over = || vec![over(2), over(3)];
    assert_eq!(answer(lblcr, all_over()), Answer::Nowhere(Reason::AllOverloaded));
    let possible = vec![server(2).id, server(3).id];
    let missing = vec![Missing::Cached];
    assert_eq!(answer(lblc, all_over()), Answer::Undetermined { possible, refusal: true, missing });
    // It leaves one with more active connections than weight while another one is idle.
    let full = entry(server(2).weight(4).thresholds(5, 0), 5, 0);
    let why = Why::Only(rule);
    assert_eq!(answer(lblc, vec![full, free(3)]), Answer::Destination { id: server(3).id, why });
    let quiesced = || vec![entry(server(2).weight(0), 0, 0)];
    assert_eq!(answer(lblc, quiesced()), Answer::Nowhere(Reason::AllQuiesced));
}

/// The largest tables with ten thousand destinations, of which nothing is known: seconds without
/// optimization. Work for each slot and destination would take hours.
#[test]
fn large_tables_take_little_time() {
    let begin = Instant::now();
    for scheduler in [Scheduler::SOURCE_HASHING, Scheduler::MAGLEV_HASHING] {
        let service = web(scheduler).flags(ServiceFlags::SH_PORT | ServiceFlags::SH_FALLBACK);
        let of = |weight: u32| {
            let entries = many(10_000, |it| it.weight(weight).thresholds(8, 1));
            let ids: Vec<_> = entries.iter().map(DestinationEntry::id).collect();
            let view = View::new(&service, entries);
            let view = ids.into_iter().fold(view, |view, id| view.last_weight(id, 1));
            view.table_sizes(TableSizes::UNKNOWN.source_bits(20).maglev_index(17))
        };
        let (serving, drained) = (of(1), of(0));
        let unknown = serving.clone().table_sizes(TableSizes::UNKNOWN);
        let told = unknown.explain(&ask("198.51.100.7", &service));
        assert_eq!(told.possible().len(), 10_000);
        assert!(told.to_string().lines().count() > 10_000);
        let moves = serving.moves(&drained).unwrap();
        assert_eq!(moves.lost, moves.slots, "{moves}");
        assert_eq!(drained.moves(&drained).unwrap().refused, moves.slots);
    }
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn what_depends_on_the_client_makes_a_share_the_least() {
    let service = web(Scheduler::MAGLEV_HASHING).flags(ServiceFlags::SH_FALLBACK);
    let all = view(&service, 2..6);
    let drained = all.after(&Change::UpdateDestination(service.id, server(2).weight(0)));
    let moves = all.moves(&drained).unwrap();
    assert!(moves.depend > 0 && moves.to_string().starts_with("at least 0.0 %"), "{moves}");
    assert!(all.moves(&all).unwrap().to_string().starts_with("0.0 %"));
}
