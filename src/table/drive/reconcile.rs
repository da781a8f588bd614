use crate::engine::{Engine, Transport};
use crate::table::drive::apply::{execute, verify};
use crate::table::drive::reading::{read_scope, read_scope_again};
use crate::table::execute::{Observer, Sequencer};
use crate::table::reconcile::{Proof, Rounds};
use crate::table::{PlanOptions, ReconcileError, Reconciled, Table};

/// Makes the kernel's table as desired, by as many plans as [`Rounds`] makes.
pub(crate) async fn reconcile<T: Transport>(
    engine: &mut Engine<T>,
    desired: &Table,
    options: &PlanOptions,
    observer: Observer<'_>,
) -> Result<Reconciled, ReconcileError> {
    // A scope that names its services needs no list of all services.
    let ids = options.scope.named(desired);
    let ids = ids.as_deref();
    let snapshot = read_scope(engine, ids).await?;
    let mut rounds = Rounds::new(desired, options, snapshot)?;
    while let Some((plan, before)) = rounds.next() {
        let mut sequencer = Sequencer::new(&plan);
        execute(engine, &mut sequencer, observer).await;
        rounds.saw(read_scope_again(engine, &plan, before, ids).await);
        match rounds.proof() {
            Proof::Settled => {}
            Proof::Unread(error) => sequencer.cannot_verify(error.clone()),
            Proof::Snapshot(snapshot) => {
                verify(engine, &mut sequencer, Some(snapshot), observer).await;
            }
        }
        let stopped = sequencer.is_stopped();
        let applied = sequencer.finish();
        rounds.applied(plan, applied, stopped);
    }
    Ok(rounds.finish())
}
