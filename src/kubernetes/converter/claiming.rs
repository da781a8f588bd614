//! Takes and gives up claims to virtual services, and says what that changed.

use std::collections::{BTreeSet, hash_map};
use std::mem;
use std::net::IpAddr;

use crate::hashing::Map;
use crate::kubernetes::Skipped;
use crate::kubernetes::convert::dummy_address;
use crate::kubernetes::converter::claimants::Claimants;
use crate::kubernetes::converter::difference::{Before, Difference, Touched};
use crate::kubernetes::converter::{Changes, Converter};
use crate::kubernetes::rank::Rank;
use crate::kubernetes::rules::Outcome;
use crate::kubernetes::virtual_service::Claim;
use crate::model::ServiceId;

impl Converter {
    /// Gives up a claim to a virtual service, and takes another one.
    pub(super) fn move_claim(
        &mut self,
        id: ServiceId,
        released: Option<Rank>,
        claimed: Option<Rank>,
        difference: &mut Difference,
    ) {
        let touched = self.touch(id, difference);
        if let Some(rank) = released {
            if self.claims.get_mut(&id).is_some_and(|claimants| claimants.remove(&rank)) {
                self.claims.remove(&id);
            }
            if let Touched::Claimed(before) = touched {
                before.released(rank);
            }
        }
        let Some(rank) = claimed else { return };
        if let Touched::Claimed(before) = touched {
            before.claimed(rank.clone());
        }
        match self.claims.entry(id) {
            hash_map::Entry::Occupied(mut claimants) => claimants.get_mut().insert(rank),
            hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Claimants::One(rank));
            }
        }
    }

    /// Keeps what a virtual service was before its first change.
    fn touch<'d>(&self, id: ServiceId, difference: &'d mut Difference) -> &'d mut Touched {
        difference.touched.entry(id).or_insert_with(|| {
            let holder = self.claims.get(&id).and_then(Claimants::holder);
            let claim = |rank: &Rank| self.entries.get(&rank.name)?.claim(id);
            match holder.and_then(|rank| Some((rank, claim(rank)?))) {
                None => Touched::New,
                Some((holder, claim)) => Touched::Claimed(Box::new(Before {
                    holder: holder.clone(),
                    claim: claim.clone(),
                    added: BTreeSet::new(),
                    removed: BTreeSet::new(),
                })),
            }
        })
    }

    /// Says what events changed.
    pub(super) fn changes(&mut self, mut difference: Difference) -> Changes {
        let mut changes = Changes::default();
        let mut addresses = Vec::new();
        let mut all: Vec<_> = mem::take(&mut difference.touched).into_iter().collect();
        all.sort_unstable_by_key(|(id, _)| *id);
        changes.set.reserve(all.len());
        for (id, touched) in all {
            let claimants = self.claims.get(&id);
            tell_losers(id, claimants, &touched, &mut difference);
            let before = match &touched {
                Touched::New => None,
                Touched::Claimed(before) => Some(&before.claim),
            };
            let after = claimants.and_then(|claimants| self.claim_of_holder(id, claimants));
            if before == after {
                continue;
            }
            let address = |claim: Option<&Claim>| dummy_address(claim?, &self.around);
            addresses.extend(address(before).map(|it| (it, -1)));
            addresses.extend(address(after).map(|it| (it, 1)));
            match after {
                Some(claim) => changes.set.push((claim.table_service(), claim.facts.clone())),
                None => changes.removed.push(id),
            }
        }
        if difference.everything {
            self.count_all_addresses(&mut changes);
        } else {
            self.count_addresses(addresses, &mut changes);
        }
        difference.cancel_skipped();
        changes.services = difference.services;
        changes.skipped_added = difference.skipped_added;
        changes.skipped_removed = difference.skipped_removed;
        changes
    }

    /// Counts the virtual services that each address has more or fewer.
    fn count_addresses(&mut self, mut by: Vec<(IpAddr, isize)>, changes: &mut Changes) {
        by.sort_unstable();
        by.dedup_by(|(later, more), (kept, by)| {
            let same = later == kept;
            if same {
                *by += *more;
            }
            same
        });
        for (address, by) in by {
            let before = self.addresses.get(&address).copied().unwrap_or_default();
            match (before, before.saturating_add_signed(by)) {
                (0, 0) => {}
                (before, 0) => {
                    debug_assert!(before > 0);
                    self.addresses.remove(&address);
                    changes.addresses_removed.push(address);
                }
                (before, after) => {
                    self.addresses.insert(address, after);
                    if before == 0 {
                        changes.addresses_added.push(address);
                    }
                }
            }
        }
    }

    fn count_all_addresses(&mut self, changes: &mut Changes) {
        let mut all = Map::default();
        for claim in self.claims.keys().filter_map(|id| self.holder(*id)) {
            if let Some(address) = dummy_address(claim, &self.around) {
                *all.entry(address).or_insert(0) += 1;
            }
        }
        let before = mem::replace(&mut self.addresses, all);
        let new = self.addresses.keys().filter(|it| !before.contains_key(it));
        changes.addresses_added.extend(new);
        let gone = before.keys().filter(|it| !self.addresses.contains_key(it));
        changes.addresses_removed.extend(gone);
        changes.addresses_added.sort_unstable();
        changes.addresses_removed.sort_unstable();
    }
}

/// Tells which claims lose now and did not before, and the other way round.
fn tell_losers(
    id: ServiceId,
    claimants: Option<&Claimants>,
    touched: &Touched,
    difference: &mut Difference,
) {
    let holder = claimants.and_then(Claimants::holder);
    let now = claimants.into_iter().flat_map(Claimants::losers);
    let lost = |rank: &&Rank, by: Option<&Rank>| -> Option<Skipped> {
        by.map(|by| rank.lost(id, &by.name))
    };
    let Touched::Claimed(before) = touched else {
        difference.skipped_added.extend(now.filter_map(|rank| lost(&rank, holder)));
        return;
    };
    let Before { holder: old_holder, added, removed, .. } = &**before;
    let old_holder = Some(old_holder);
    if holder == old_holder {
        // Those that stay are not looked at: there may be many.
        let has = |rank: &&Rank| claimants.is_some_and(|claimants| claimants.has(rank));
        let new = added.iter().filter(|rank| Some(*rank) != holder).filter(has);
        difference.skipped_added.extend(new.filter_map(|rank| lost(&rank, holder)));
        difference.skipped_removed.extend(removed.iter().filter_map(|rank| lost(&rank, holder)));
        return;
    }
    let now: Vec<&Rank> = now.collect();
    let all = holder.into_iter().chain(now.iter().copied());
    let stayed = all.filter(|rank| !added.contains(*rank));
    let then = stayed.chain(removed).filter(|rank| Some(*rank) != old_holder);
    difference.skipped_removed.extend(then.filter_map(|rank| lost(&rank, old_holder)));
    difference.skipped_added.extend(now.iter().filter_map(|rank| lost(rank, holder)));
}

/// Compares the claims of a service before and after a conversion. Returns those that change, each
/// with the ranks that it gives up and takes.
pub(super) fn moved_claims(
    before: &Outcome,
    after: &Outcome,
) -> Vec<(ServiceId, Option<Rank>, Option<Rank>)> {
    let mut moved = Vec::new();
    let mut old = before.claims.iter().peekable();
    let mut new = after.claims.iter().peekable();
    let ranks_stay = before.created == after.created;
    loop {
        let ids = (old.peek().map(|it| it.id()), new.peek().map(|it| it.id()));
        let (id, first, second) = match ids {
            (None, None) => return moved,
            (Some(a), Some(b)) if a == b => (a, old.next(), new.next()),
            (Some(a), Some(b)) if a < b => (a, old.next(), None),
            (_, Some(b)) => (b, None, new.next()),
            (Some(a), None) => (a, old.next(), None),
        };
        if !(ranks_stay && first == second) {
            moved.push((id, first.map(|it| before.rank(it)), second.map(|it| after.rank(it))));
        }
    }
}
