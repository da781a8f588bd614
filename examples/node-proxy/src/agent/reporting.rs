//! What the cluster's users are told by Kubernetes Events about their services.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use ipvs_netlink::kubernetes::{
    Changes, Converter, Event as Told, ObjectKind, ObjectName, Reason, Skipped,
};
use ipvs_netlink::table::controller::Event;

use crate::cluster::{Notice, Report, Source};

/// How many reports may come at once.
const MOST_AT_ONCE: u32 = 25;

/// After this time one more report may come.
const PAUSE: Duration = Duration::from_secs(5);

/// The longest note, in characters. A character has at most 4 bytes, and the API takes 1024 bytes, 62 of which
/// may say how many events were suppressed.
const LONGEST_NOTE: usize = 240;

/// The longest name of an object, in bytes. The API takes 253 for the name of an event, which is that of the
/// object and 17 more.
const LONGEST_NAME: usize = 230;

/// The longest identity of an object, in bytes. The API server gives 36.
const LONGEST_UID: usize = 64;

/// Decides what is reported: what somebody has to correct, and not more than an API server bears.
#[derive(Debug)]
pub(super) struct Reporting {
    /// How many reports may come now.
    left: u32,
    /// Since when `left` counts.
    counted: Option<Instant>,
    /// How many reports were suppressed since the last one.
    suppressed: u64,
    /// The identities of the services that are there: `kubectl describe` shows events of these only.
    uids: HashMap<ObjectName, String>,
    /// The services about which the kernel's refusal was reported, until they are as wished.
    refused: HashSet<ObjectName>,
}

impl Reporting {
    pub(super) fn new() -> Self {
        Self {
            left: MOST_AT_ONCE,
            counted: None,
            suppressed: 0,
            uids: HashMap::new(),
            refused: HashSet::new(),
        }
    }

    /// Takes in which services are there.
    pub(super) fn noticed(&mut self, source: Source, notice: &Notice) {
        let event = match notice {
            Notice::Listed(event) | Notice::Changed(event) => event,
            // What is not in the new list is gone.
            Notice::Begun if source == Source::Services => {
                self.uids.clear();
                self.refused.clear();
                return;
            }
            _ => return,
        };
        match &**event {
            Told::Service(service) if service.metadata.uid.len() <= LONGEST_UID => {
                let metadata = &service.metadata;
                self.uids.insert(metadata.object_name(), metadata.uid.clone());
            }
            Told::ServiceDeleted(name) => {
                self.uids.remove(name);
                self.refused.remove(name);
            }
            _ => {}
        }
    }

    /// Returns the reports about what a conversion leaves out now.
    pub(super) fn skipped(&mut self, changes: &Changes, now: Instant) -> Vec<Report> {
        let wrong = changes.skipped_added.iter().filter_map(|it| Some((it, reason(it)?)));
        let reports: Vec<_> =
            wrong.map(|(it, why)| (it.kind, &it.name, why, it.to_string())).collect();
        reports.into_iter().filter_map(|it| self.report(it.0, it.1, it.2, &it.3, now)).collect()
    }

    /// Returns the report about a service that the program does not serve, or not as it is asked for.
    pub(super) fn not_served(
        &mut self,
        service: &ObjectName,
        why: &str,
        now: Instant,
    ) -> Option<Report> {
        self.report(ObjectKind::Service, service, "NotServed", why, now)
    }

    /// Returns the report about an event of the controller.
    pub(super) fn event(
        &mut self,
        event: &Event,
        converter: &Converter,
        now: Instant,
    ) -> Option<Report> {
        let service = || Some(&converter.get(event.service()?)?.1.service);
        match event {
            Event::Failed { .. } | Event::Refused { .. } => {
                self.refused(service()?, &event.to_string(), now)
            }
            Event::Settled(_) if !self.refused.is_empty() => {
                self.refused.remove(service()?);
                None
            }
            _ => None,
        }
    }

    /// Returns the report about a refusal of the kernel, if it is the first one since the service was as wished.
    fn refused(&mut self, service: &ObjectName, why: &str, now: Instant) -> Option<Report> {
        let is_new = self.refused.insert(service.clone());
        is_new.then(|| self.report(ObjectKind::Service, service, "Refused", why, now))?
    }

    fn report(
        &mut self,
        kind: ObjectKind,
        name: &ObjectName,
        reason: &'static str,
        note: &str,
        now: Instant,
    ) -> Option<Report> {
        if name.name().len() > LONGEST_NAME {
            return None;
        }
        if !self.admits(now) {
            self.suppressed += 1;
            return None;
        }
        let printable = |it: char| if it.is_control() { ' ' } else { it };
        let mut note: String = note.chars().take(LONGEST_NOTE).map(printable).collect();
        if self.suppressed > 0 {
            note.push_str(&format!(
                " ({} events before this one were suppressed)",
                self.suppressed
            ));
            self.suppressed = 0;
        }
        let uid = (kind == ObjectKind::Service).then(|| self.uids.get(name).cloned()).flatten();
        Some(Report { kind, name: name.clone(), uid: uid.unwrap_or_default(), reason, note })
    }

    fn admits(&mut self, now: Instant) -> bool {
        let counted = *self.counted.get_or_insert(now);
        let passed = now.saturating_duration_since(counted).as_secs() / PAUSE.as_secs();
        let more = u32::try_from(passed).unwrap_or(u32::MAX);
        if more > 0 {
            self.left = self.left.saturating_add(more).min(MOST_AT_ONCE);
            self.counted = Some(counted + PAUSE * more);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}

/// Returns the reason of a report, or `None` for what is as somebody wants it, or concerns one node only.
fn reason(skipped: &Skipped) -> Option<&'static str> {
    match skipped.reason {
        Reason::Invalid(_) => Some("Invalid"),
        Reason::UnknownAnnotation | Reason::PodWeightsNotAllowed => Some("AnnotationNotUsed"),
        Reason::Claimed { .. } => Some("AddressInUse"),
        Reason::Doubled => Some("Doubled"),
        Reason::TooLarge { .. } => Some("TooLarge"),
        Reason::NoPortNumber | Reason::NoSuchPort | Reason::OtherFamily | Reason::NoAddress => {
            Some("EndpointsNotUsed")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use ipvs_netlink::kubernetes::{Options, Service, ServicePort};

    use super::*;

    fn service(number: u16, annotation: &str) -> Service {
        let mut web = Service::new("shop", &format!("web-{number}"));
        web.metadata.uid = format!("uid-{number}");
        web.spec.cluster_ip = format!("10.96.{}.{}", number / 250, number % 250 + 1);
        web.spec.ports.push(ServicePort::new(80));
        let annotation = (format!("ipvs-netlink/{annotation}"), "x".to_owned());
        web.metadata.annotations.extend([annotation]);
        web
    }

    #[test]
    fn a_mistake_is_reported_with_the_identity_of_its_service() {
        let mut reporting = Reporting::new();
        let mut converter = Converter::new(&Options::new("node-a"));
        let now = Instant::now();
        let web = Told::Service(service(1, "scheduler-flags"));
        reporting.noticed(Source::Services, &Notice::Listed(Box::new(web.clone())));
        let changes = converter.apply(web);
        let [report] = &reporting.skipped(&changes, now)[..] else { panic!("{changes:?}") };
        assert_eq!((report.reason, report.uid.as_str()), ("Invalid", "uid-1"));
        assert!(
            report
                .note
                .starts_with("Service shop/web-1, annotation ipvs-netlink/scheduler-flags: ")
        );
        let mut headless = service(2, "");
        headless.metadata.annotations.clear();
        headless.spec.cluster_ip = "None".to_owned();
        let changes = converter.apply(Told::Service(headless));
        assert_eq!(changes.skipped_added.len(), 1);
        assert!(reporting.skipped(&changes, now).is_empty());
    }

    /// An identity that is gone would keep `kubectl describe` from showing events of the object that came after it.
    #[test]
    fn a_new_list_has_new_identities() {
        let mut reporting = Reporting::new();
        let name = "shop/web-1".parse().unwrap();
        let now = Instant::now();
        let uid = |reporting: &mut Reporting| reporting.not_served(&name, "no", now).unwrap().uid;
        let listed = Notice::Listed(Box::new(Told::Service(service(1, "unknown"))));
        reporting.noticed(Source::Services, &listed);
        reporting.noticed(Source::Slices, &Notice::Begun);
        assert_eq!(uid(&mut reporting), "uid-1");
        reporting.noticed(Source::Services, &Notice::Begun);
        assert_eq!(uid(&mut reporting), "");
    }

    #[test]
    fn a_refusal_is_reported_until_the_service_is_as_wished() {
        let mut reporting = Reporting::new();
        let mut converter = Converter::new(&Options::new("node-a"));
        let mut web = service(1, "unknown");
        web.metadata.annotations.clear();
        let changes = converter.apply(Told::Service(web));
        let id = changes.set[0].0.id();
        let now = Instant::now();
        let name = "shop/web-1".parse().unwrap();
        let mut refused = || {
            let reason = reporting.refused(&name, "no memory", now).map(|it| it.reason);
            let again = reporting.refused(&name, "no memory", now);
            let settled = reporting.event(&Event::Settled(id), &converter, now);
            (reason, again, settled)
        };
        assert_eq!(refused(), (Some("Refused"), None, None));
        assert_eq!(refused(), (Some("Refused"), None, None));
    }

    #[test]
    fn a_note_is_short_and_has_no_control_characters() {
        let mut reporting = Reporting::new();
        let name = "shop/web".parse().unwrap();
        let hostile = "\u{1b}[2J\u{10ffff}".repeat(1000);
        reporting.suppressed = u64::MAX - 1;
        let note = reporting.not_served(&name, &hostile, Instant::now()).unwrap().note;
        assert!(note.len() <= 1024 && !note.contains(char::is_control), "{note:?}");
        let long = format!("shop/{}", "x".repeat(253)).parse().unwrap();
        assert_eq!(reporting.not_served(&long, "no", Instant::now()), None);
    }

    #[test]
    fn many_mistakes_at_once_are_counted_in_the_next_report() {
        let mut reporting = Reporting::new();
        let mut converter = Converter::new(&Options::new("node-a"));
        let begin = Instant::now();
        let all = (0..100).map(|number| Told::Service(service(number, "unknown")));
        let changes = converter.apply_all(all);
        assert_eq!(reporting.skipped(&changes, begin).len(), MOST_AT_ONCE as usize);
        let name = "shop/web-1".parse().unwrap();
        assert!(
            reporting.not_served(&name, "no", begin + PAUSE - Duration::from_secs(1)).is_none()
        );
        let next = reporting.not_served(&name, "no", begin + PAUSE).unwrap();
        assert_eq!(next.note, "no (76 events before this one were suppressed)");
        assert!(reporting.not_served(&name, "no", begin + PAUSE).is_none());
        let later = begin + 1000 * PAUSE;
        let admitted = (0..100).filter(|_| reporting.not_served(&name, "no", later).is_some());
        assert_eq!(admitted.count(), MOST_AT_ONCE as usize);
    }
}
