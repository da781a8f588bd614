use super::*;
use crate::model::{Service, ServiceId};

fn context() -> Context {
    let service = ServiceId::tcp("192.0.2.10:80".parse().unwrap());
    Context::about(Operation::AddService, Object::Service(service))
}

#[test]
fn it_is_small_and_can_be_shared() {
    fn shared<T: Clone + Send + Sync + std::error::Error + 'static>() {}
    shared::<Error>();
    assert_eq!(size_of::<Error>(), size_of::<usize>());
}

#[test]
fn it_names_operation_object_cause_and_errno() {
    let error = Error::refused(context(), ErrorKind::ServiceExists, 17, None);
    assert_eq!(
        error.to_string(),
        "add service TCP 192.0.2.10:80: the service exists (File exists (os error 17))"
    );
    assert_eq!(error.certainty(), Some(Certainty::Refused));
    assert!(error.is_already_exists());
}

#[test]
fn a_test_makes_errors_of_every_certainty() {
    let write = |kind| Error::for_test(kind, Operation::AddService);
    assert_eq!(write(ErrorKind::ReceiveOverflow).certainty(), Some(Certainty::Unknown));
    assert_eq!(write(ErrorKind::InvalidValue).certainty(), Some(Certainty::NotSent));
    assert_eq!(write(ErrorKind::ServiceExists).certainty(), Some(Certainty::Refused));
    let socket = write(ErrorKind::Socket).with_certainty(Certainty::Unknown);
    assert_eq!(socket.certainty(), Some(Certainty::Unknown));
    let read = Error::for_test(ErrorKind::NoSuchService, Operation::ReadService);
    assert_eq!(read.clone().with_certainty(Certainty::Refused), read);
    let object = Object::Service(ServiceId::fwmark(5, crate::model::AddressFamily::Ipv4));
    let about = read.clone().with_object(object);
    assert_eq!(about.object(), Some(object));
    assert_ne!(about, read);
    assert_eq!(about.to_string(), "read service FWM 5: no such service");
}

#[test]
fn a_lost_answer_is_said_to_be_one() {
    let error = Error::unanswered(context(), Failure::DeadlineExceeded);
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(error.certainty(), Some(Certainty::Unknown));
    assert!(error.to_string().ends_with("; the kernel may or may not have done it"));
    let read = Error::unanswered(Context::new(Operation::ReadServices), Failure::DeadlineExceeded);
    assert_eq!(read.certainty(), None);
}

#[test]
fn an_invalid_value_is_said_once() {
    let service = Service::tcp("[fe80::1%2]:80".parse().unwrap());
    let invalid = service.validate().unwrap_err();
    let error = Error::invalid(context(), invalid.clone());
    assert_eq!(error.invalid_value(), Some(&invalid));
    assert_eq!(error.certainty(), Some(Certainty::NotSent));
    assert!(error.to_string().contains("must not have a scope"), "{error}");
    assert!(std::error::Error::source(&error).is_none());
}

#[test]
fn a_kernel_without_ipvs_is_told_what_to_do() {
    let context = Context::new(Operation::ResolveFamily);
    let error = Error::refused(context, ErrorKind::Unavailable, 2, None).to_string();
    for advice in ["`modprobe ip_vs`", "for a container on its host", "CONFIG_IP_VS"] {
        assert!(error.contains(advice), "{error}");
    }
}

#[test]
fn likely_reasons_follow_the_errno() {
    let reasons = &[Reason::NoLoopback, Reason::BroadcastAddress];
    let error = Error::refused(context(), ErrorKind::Rejected, 22, None).likely(reasons);
    assert_eq!(error.likely_reasons(), reasons);
    assert!(
        error.to_string().ends_with(
            "the kernel rejected a value (Invalid argument (os error 22)); likely the \
             loopback interface of this network namespace has never been up (`ip link set \
             lo up`), or the address is a broadcast address of this host"
        ),
        "{error}"
    );
}

#[test]
fn the_kernels_words_cannot_move_the_cursor() {
    let extack = Extack { message: Some("bad\x1b[2J".into()), offset: Some(20) };
    let error = Error::refused(context(), ErrorKind::Rejected, 34, Some(extack));
    assert!(!error.to_string().contains('\x1b'));
    assert!(error.to_string().contains("at byte 20"));
}
