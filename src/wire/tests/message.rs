//! `IpvsMessage` in the hands of programs that bring their own netlink transport.

use std::time::Duration;

use netlink_packet_core::{
    DecodeError, Emitable, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
    ParseableParametrized,
};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use proptest::prelude::*;

use crate::model::strategies;
use crate::model::{
    AddressFamily, Change, InterfaceName, Persistence, PersistenceEngine, Role, Scheduler, Service,
    ServiceEntry, ServiceId, Stats, SyncDaemon,
};
use crate::uapi::*;
use crate::wire::tests::any_report::{AnyReport, any_report};
use crate::wire::tests::raw::Raw;
use crate::wire::tests::request_bytes;
use crate::wire::{IpvsMessage, Request};

const FAMILY_ID: u16 = 0x22;

fn answer(report: AnyReport) -> IpvsMessage {
    match report {
        AnyReport::Service(it) => IpvsMessage::Service(it),
        AnyReport::Destination(it) => IpvsMessage::Destination(it),
        AnyReport::Daemon(it) => IpvsMessage::Daemon(it),
        AnyReport::Timeouts(it) => IpvsMessage::Timeouts(it),
        AnyReport::Info(it) => IpvsMessage::Info(it),
    }
}

fn any_message() -> impl Strategy<Value = IpvsMessage> {
    prop_oneof![
        any_report().prop_map(answer),
        strategies::change().prop_map(IpvsMessage::from),
        strategies::service_id().prop_map(IpvsMessage::ReadService),
        strategies::service_id().prop_map(IpvsMessage::ReadDestinations),
        Just(IpvsMessage::ReadInfo),
        Just(IpvsMessage::ReadServices),
        Just(IpvsMessage::ReadTimeouts),
        Just(IpvsMessage::ReadDaemons),
    ]
}

/// The message in a datagram whose buffer was not clean.
fn datagram(message: IpvsMessage) -> Vec<u8> {
    let mut generic = GenlMessage::from_payload(message);
    generic.set_resolved_family_id(FAMILY_ID);
    let mut header = NetlinkHeader::default();
    (header.flags, header.sequence_number) = (NLM_F_REQUEST, 7);
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(generic));
    message.finalize();
    let mut buffer = vec![0xa5; message.buffer_len()];
    message.serialize(&mut buffer);
    buffer
}

fn parse(command: u8, attributes: &[u8]) -> Result<IpvsMessage, DecodeError> {
    IpvsMessage::parse_with_param(attributes, GenlHeader { cmd: command, version: 1 })
}

proptest! {
    #[test]
    fn an_answer_comes_back_through_both_netlink_layers(report in any_report()) {
        let message = answer(report);
        let bytes = datagram(message.clone());
        let parsed = NetlinkMessage::<GenlMessage<IpvsMessage>>::deserialize(&bytes);
        if message.validate().is_err() {
            // A name is odd, and left out.
            prop_assert!(parsed.is_err());
            return Ok(());
        }
        let parsed = parsed.unwrap();
        let NetlinkPayload::InnerMessage(generic) = parsed.payload else {
            return Err(TestCaseError::fail("not a message of a family"));
        };
        prop_assert_eq!(generic.header.version, 1);
        prop_assert_eq!(generic.payload, message);
    }

    #[test]
    fn a_dirty_buffer_leaves_no_trace(message in any_message()) {
        let length = message.buffer_len();
        let emitted = |dirt| {
            let mut buffer = vec![dirt; length + 4];
            message.emit(&mut buffer);
            buffer
        };
        let (dirty, clean) = (emitted(0xa5), emitted(0));
        prop_assert_eq!(&dirty[..length], &clean[..length]);
        prop_assert_eq!(&dirty[length..], &[0xa5; 4]);
    }

    #[test]
    fn a_request_has_the_bytes_that_the_clients_send(change in strategies::change()) {
        let request = Request::Change(&change);
        let messages = Raw::all(&datagram(change.clone().into()));
        prop_assert_eq!(messages.len(), 1);
        prop_assert_eq!(messages[0].kind, FAMILY_ID);
        prop_assert_eq!(messages[0].command(), request.command());
        prop_assert_eq!(messages[0].attributes(), request_bytes(&request));
    }

    #[test]
    fn it_reads_what_the_clients_read(report in any_report()) {
        let parsed = parse(report.command(), &report.bytes()).unwrap();
        prop_assert_eq!(parsed, answer(report));
    }
}

#[test]
fn each_read_has_its_command() {
    let id = ServiceId::fwmark(1, AddressFamily::Ipv4);
    let commands = [
        (IpvsMessage::ReadInfo, IPVS_CMD_GET_INFO),
        (IpvsMessage::ReadService(id), IPVS_CMD_GET_SERVICE),
        (IpvsMessage::ReadServices, IPVS_CMD_GET_SERVICE),
        (IpvsMessage::ReadDestinations(id), IPVS_CMD_GET_DEST),
        (IpvsMessage::ReadTimeouts, IPVS_CMD_GET_CONFIG),
        (IpvsMessage::ReadDaemons, IPVS_CMD_GET_DAEMON),
    ];
    for (message, command) in commands {
        assert_eq!(message.command(), command, "{message:?}");
        assert_eq!(message.version(), IPVS_GENL_VERSION);
    }
    assert_eq!(IpvsMessage::family_name(), "IPVS");
}

#[test]
fn requests_are_not_parsed() {
    let service = Service::tcp("192.0.2.1:80".parse().unwrap());
    let bytes = request_bytes(&Request::Change(&Change::AddService(service)));
    for command in (0..=u8::MAX).filter(|command| !AnyReport::COMMANDS.contains(command)) {
        assert!(parse(command, &bytes).is_err(), "{command}");
    }
}

#[test]
fn validation_looks_at_changes_and_at_what_is_named() {
    let nameless = ServiceId::fwmark(0, AddressFamily::Ipv4);
    for message in [
        IpvsMessage::ReadService(nameless),
        IpvsMessage::ReadDestinations(nameless),
        IpvsMessage::from(Change::DeleteService(nameless)),
    ] {
        assert_eq!(message.validate().unwrap_err().field(), "fwmark");
    }
    assert_eq!(IpvsMessage::ReadServices.validate(), Ok(()));
}

/// Neither name reaches a kernel, by no message: it hands unknown ones to modprobe.
#[test]
fn a_name_that_is_no_modules_is_never_emitted() {
    let web = Service::tcp("192.0.2.1:80".parse().unwrap());
    let minute = Persistence::new(Duration::from_secs(60));
    let engine = PersistenceEngine::reported(b"$(id)/..").unwrap();
    let odd = [
        web.clone().scheduler(Scheduler::reported(b"../../x y").unwrap()),
        web.persistence(minute.engine(engine)),
    ];
    for service in odd {
        let entry = ServiceEntry::new(service.clone(), Stats::default());
        for message in [
            IpvsMessage::from(Change::AddService(service.clone())),
            IpvsMessage::from(Change::UpdateService(service.clone())),
            IpvsMessage::Service(entry),
        ] {
            let emitted = Raw::all(&datagram(message.clone())).remove(0).attributes().to_vec();
            // The kernel and the parser refuse a service of which nothing but the identity is said.
            let identity = request_bytes(&Request::Service(service.id));
            assert_eq!(emitted, identity, "{message:?}");
            assert!(message.validate().is_err());
        }
    }
    let interface = InterfaceName::reported(b"a/b c").unwrap();
    let daemon = SyncDaemon::new(Role::Master, interface);
    for message in
        [IpvsMessage::from(Change::StartDaemon(daemon.clone())), IpvsMessage::Daemon(daemon)]
    {
        let emitted = Raw::all(&datagram(message.clone())).remove(0).attributes().to_vec();
        let role = request_bytes(&Request::Change(&Change::StopDaemon(Role::Master)));
        assert_eq!(emitted, role, "{message:?}");
        assert!(message.validate().is_err());
    }
}
