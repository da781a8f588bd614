//! What is written is what is read.

use proptest::prelude::*;

use crate::model::strategies as any;
use crate::model::{
    AddressFamily, Change, DestinationEntry, Service, ServiceEntry, ServiceId, SyncDaemon, Timeouts,
};
use crate::uapi::*;
use crate::wire::tests::any_report::{AnyReport, any_report};
use crate::wire::tests::raw::split;
use crate::wire::tests::request_bytes;
use crate::wire::{Reported, Request};

/// The service that an addition or update asks for, as a kernel would read it.
fn asked_service(change: &Change) -> Service {
    let bytes = request_bytes(&Request::Change(change));
    ServiceEntry::decode(&bytes, None).unwrap().service
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_report_comes_back(report in any_report()) {
        prop_assert_eq!(AnyReport::decode(report.command(), &report.bytes()), Ok(report));
    }
}

proptest! {
    #[test]
    fn a_service_is_written_in_its_canonical_form(service in any::service()) {
        prop_assert!(service.validate().is_ok());
        let add = Change::AddService(service.clone());
        let update = Change::UpdateService(service.clone());
        prop_assert_eq!(asked_service(&add), service.clone().canonical());
        prop_assert_eq!(asked_service(&update), service.canonical());
    }

    #[test]
    fn a_change_of_a_destination_names_its_service_and_says_all_of_it(
        (id, destination) in any::service_id()
            .prop_flat_map(|id| (Just(id), any::destination(id.family()))),
    ) {
        prop_assert!(destination.validate(id).is_ok());
        let add = Change::AddDestination(id, destination.clone());
        let update = Change::UpdateDestination(id, destination.clone());
        let bytes = request_bytes(&Request::Change(&add));
        prop_assert_eq!(&bytes, &request_bytes(&Request::Change(&update)));
        let read = DestinationEntry::decode(&bytes, Some(id.family())).unwrap();
        prop_assert_eq!(read.destination, destination);
        prop_assert_eq!(split(&bytes)[0].clone(), split(&identity(id))[0].clone());
    }

    #[test]
    fn reading_zeroing_and_deleting_name_the_service_alone(id in any::service_id()) {
        let (delete, zero) = (Change::DeleteService(id), Change::ZeroService(id));
        for request in [Request::Change(&delete), Request::Change(&zero), Request::Destinations(id)] {
            prop_assert_eq!(request_bytes(&request), identity(id));
        }
        let kinds: Vec<u16> = split(&split(&identity(id))[0].1).iter().map(|it| it.0).collect();
        let expected: &[u16] = match id {
            ServiceId::Address { .. } => &[
                IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_PROTOCOL, IPVS_SVC_ATTR_ADDR, IPVS_SVC_ATTR_PORT,
            ],
            ServiceId::Fwmark { .. } => &[IPVS_SVC_ATTR_AF, IPVS_SVC_ATTR_FWMARK],
        };
        prop_assert_eq!(kinds, expected);
    }

    #[test]
    fn any_change_that_is_valid_is_padded_and_short(change in any::change()) {
        prop_assert_eq!(change.validate(), Ok(()));
        let length = request_bytes(&Request::Change(&change)).len();
        prop_assert_eq!(length % 4, 0);
        // The headers are 20 bytes. Clients reckon with 256 for each request of many.
        prop_assert!(20 + length <= 256, "{}", length);
    }

    #[test]
    fn starting_a_daemon_says_all_of_it(daemon in any::daemon()) {
        let change = Change::StartDaemon(daemon.clone());
        let bytes = request_bytes(&Request::Change(&change));
        prop_assert_eq!(SyncDaemon::decode(&bytes, None), Ok(daemon));
    }

    #[test]
    fn only_the_timeouts_that_are_set_are_sent(timeouts in any::timeouts()) {
        let bytes = request_bytes(&Request::Change(&Change::SetTimeouts(timeouts)));
        let set = [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].iter().flatten().count();
        prop_assert_eq!(split(&bytes).len(), set);
        prop_assert_eq!(Timeouts::decode(&bytes, None), Ok(timeouts));
    }
}

fn identity(id: ServiceId) -> Vec<u8> {
    request_bytes(&Request::Service(id))
}

#[test]
fn what_asks_for_everything_has_no_attributes() {
    let requests = [
        Request::Info,
        Request::Services,
        Request::Timeouts,
        Request::Daemons,
        Request::Change(&Change::ZeroAll),
        Request::Change(&Change::Flush),
    ];
    for request in requests {
        assert!(request_bytes(&request).is_empty(), "{request:?}");
    }
}

#[test]
fn the_same_mark_in_both_families_is_two_identities() {
    let bytes = |family| identity(ServiceId::fwmark(7, family));
    assert_ne!(bytes(AddressFamily::Ipv4), bytes(AddressFamily::Ipv6));
}
