//! What can go wrong with the destinations of an answer.

use std::collections::BTreeMap;

use crate::explain::{Explanation, Note, View};
use crate::model::{DestinationEntry, DestinationId, Forwarding, Service, ServiceId};

/// Adds the notes to an answer.
pub(super) fn add(view: &View, service: &Service, explanation: &mut Explanation) {
    let attempt = explanation.attempt;
    let mut notes = Vec::new();
    let asked_for_mark = matches!(attempt.target, ServiceId::Fwmark { .. });
    if asked_for_mark && attempt.target != service.id {
        notes.push(Note::MarkWithoutService(attempt.target));
    }
    let entries: BTreeMap<DestinationId, &DestinationEntry> =
        view.destinations().iter().map(|entry| (entry.id(), entry)).collect();
    for id in explanation.possible() {
        let Some(entry) = entries.get(id) else { continue };
        let keeps_port = !matches!(entry.destination.forwarding, Forwarding::Masquerade)
            || service.persistence.is_some()
                && attempt.address.map(|it| it.port()) != service.id.address().map(|it| it.port());
        let address = attempt.address.filter(|_| keeps_port);
        if let Some(address) = address {
            let port = address.port();
            if id.address.port() != 0 && port != 0 && id.address.port() != port {
                notes.push(Note::PortStays { id: *id, port });
            }
        }
        if id.family() != service.id.family() {
            notes.push(Note::MixedFamilies(*id));
        }
    }
    let client_is_elsewhere = view.has_client() != Some(true);
    if let (Some(address), None, true) = (attempt.address, view.is_local(), client_is_elsewhere) {
        notes.push(Note::PerhapsNotLocal(address));
    }
    explanation.notes.extend(notes);
}
