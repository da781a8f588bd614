//! Controllers that are broken on purpose, to show that the judges see it.

use ipvs_netlink::table::controller::{Answer, Event, Work};
use ipvs_netlink::{Change, Outcome, Report};

use crate::judge::Court;

/// What is wrong with a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Takes the old destinations away together with what adds the new ones.
    NoBarrier,
    /// Also deletes a service of somebody else.
    Unscoped,
    /// Never hears of the last wish.
    Deaf,
    /// Reads everything again when nothing is left to do.
    Nosy,
    /// Deletes at once what is to drain.
    Impatient,
    /// Sees time pass at half its speed, so that its deadlines come late.
    Slow,
    /// Does not tell that a wish is settled.
    Silent,
    /// Takes every refusal for success.
    Credulous,
    /// Takes every lost answer for success.
    Guessing,
    /// Reads everything again whenever it should wait.
    Restless,
    /// Its pools take the last destination out.
    Cruel,
    /// Its checks decide by one failure.
    Hasty,
    /// Its pools do not know what the table held when the program started.
    Forgetful,
}

impl Bug {
    /// Changes a task as a broken controller would make it.
    pub(crate) fn work(self, court: &Court, work: &Work) -> Work {
        let Work::Write(writes) = work else { return work.clone() };
        let mut writes = writes.clone();
        let mut more = Vec::new();
        match self {
            Self::NoBarrier => {
                for write in &writes {
                    let Change::AddDestination(id, new) = write else { continue };
                    let present = court.knowledge.present(*id);
                    for (to, server) in present.into_iter().flat_map(|present| &present.servers) {
                        if *to != new.id {
                            let stopped = server.settings.clone().weight(0);
                            more.push(Change::UpdateDestination(*id, stopped));
                        }
                    }
                }
            }
            Self::Unscoped => {
                let foreign = court.knowledge.present_services();
                let foreign = foreign
                    .map(|(id, _)| id)
                    .find(|id| !court.wishes.may_change(&court.options, *id));
                more.extend(foreign.map(Change::DeleteService));
            }
            Self::Impatient => {
                for write in &writes {
                    let Change::UpdateDestination(id, new) = write else { continue };
                    if new.weight == 0 && court.wishes.destination(*id, new.id).is_none() {
                        more.push(Change::DeleteDestination(*id, new.id));
                    }
                }
            }
            _ => {}
        }
        writes.extend(more);
        Work::Write(writes)
    }

    /// Changes an answer as a broken controller would take it. `asked` is the number of changes
    /// that the controller asked for.
    pub(crate) fn answer(self, answer: &Answer, asked: usize) -> Answer {
        let Answer::Written(report) = answer else { return answer.clone() };
        let taken = |outcome: &Outcome| match (self, outcome) {
            (Self::Credulous, Outcome::Refused(_)) | (Self::Guessing, Outcome::Unknown(_)) => {
                Outcome::Done
            }
            (_, outcome) => outcome.clone(),
        };
        Answer::Written(report.outcomes().take(asked).map(taken).collect::<Report>())
    }

    /// Returns `true` if the controller keeps an event to itself.
    pub(crate) const fn hides(self, event: &Event) -> bool {
        match self {
            Self::Silent => matches!(event, Event::Settled(_)),
            // What it tells of its drains would give it away before they are overdue.
            Self::Slow => matches!(event, Event::DrainBegun { .. } | Event::DrainEnded { .. }),
            _ => false,
        }
    }
}
