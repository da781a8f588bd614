//! Takes in signs in the traffic that destinations do not work.

use ipvs_netlink::health::passive::{Sign, SignChange};
use ipvs_netlink::{DestinationId, ServiceId};

use crate::configuration::OnSign;
use crate::desk::{Desk, Effect};
use crate::event::{Event, Severity};
use crate::moment::Moment;

impl Desk {
    /// Takes in which signs have begun and which are over, and all that there are now. Those of other
    /// services than the daemon's are left out.
    pub fn signs(
        &mut self,
        changes: &[SignChange],
        all: impl IntoIterator<Item = (ServiceId, DestinationId, Sign)>,
        now: Moment,
    ) {
        self.signs.clear();
        for (service, destination, sign) in all {
            if self.is_configured(service) {
                self.signs.entry((service, destination)).or_default().push(sign);
            }
        }
        for change in changes {
            if !self.is_configured(change.service) {
                continue;
            }
            let SignChange { service, destination, sign, begins, .. } = change;
            let event = match begins {
                true => {
                    let text = format!("{destination} may not work: {sign}");
                    Event::new(now.wall, Severity::Warning, "passive-sign", &text)
                }
                false => {
                    let text = format!("no longer: {sign}");
                    Event::new(now.wall, Severity::Note, "passive-sign-over", &text)
                }
            };
            self.effects.push(Effect::Tell(event.of(*service).at(*destination)));
        }
        if self.configuration.passive_signs.on_sign == OnSign::Check {
            let mut suspected: Vec<_> =
                self.signs.keys().map(|(_, destination)| *destination).collect();
            suspected.sort_unstable();
            suspected.dedup();
            self.effects.extend(suspected.into_iter().map(Effect::Hasten));
        }
    }
}
