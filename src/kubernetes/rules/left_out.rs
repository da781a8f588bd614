//! The endpoints of a port that some of its virtual services do not have.

use crate::kubernetes::rules::endpoints::Candidate;
use crate::kubernetes::told::Told;
use crate::kubernetes::{Item, Reason};

/// Counts endpoints by why they are left out.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    not_ready: usize,
    not_local: usize,
    hinted_elsewhere: usize,
}

impl LeftOut {
    /// Counts the endpoints of one family. `cluster` and `local` are the lists of all nodes and of
    /// this node, if a virtual service has them. Both are in the order of `candidates`.
    pub(crate) fn count(
        &mut self,
        candidates: &[Candidate<'_>],
        cluster: Option<&Vec<&Candidate<'_>>>,
        local: Option<&Vec<&Candidate<'_>>>,
    ) {
        let all = |list: Option<&Vec<_>>| list.is_none_or(|list| list.len() == candidates.len());
        if all(cluster) && all(local) {
            return;
        }
        let mut in_cluster = membership(cluster);
        let mut in_local = membership(local);
        for candidate in candidates {
            let (in_cluster, in_local) = (in_cluster(candidate), in_local(candidate));
            let member = &candidate.member;
            let takes_traffic = member.ready || in_cluster == Some(true);
            let not_in_cluster = in_cluster == Some(false);
            let not_in_local = in_local == Some(false);
            if not_in_cluster && member.ready {
                self.hinted_elsewhere += 1;
            }
            if not_in_local && !member.local && takes_traffic {
                self.not_local += 1;
            } else if (not_in_cluster || not_in_local) && !member.ready {
                self.not_ready += 1;
            }
        }
    }

    pub(crate) fn tell(&self, item: impl Fn() -> Item, told: &mut Told) {
        told.many(&item, Reason::NotReady, self.not_ready);
        told.many(&item, Reason::HintedElsewhere, self.hinted_elsewhere);
        told.many(&item, Reason::NotLocal, self.not_local);
    }
}

/// Returns a function that says of each candidate, in their order, whether a list has it.
fn membership<'c, 'a>(
    list: Option<&'c Vec<&'c Candidate<'a>>>,
) -> impl FnMut(&Candidate<'a>) -> Option<bool> + 'c {
    let mut list = list.map(|list| list.iter().peekable());
    move |candidate| {
        let list = list.as_mut()?;
        Some(list.next_if(|it| std::ptr::eq(**it, candidate)).is_some())
    }
}
