//! Runs sequences on two sides, and looks for the shortest that gives different answers.

use std::fmt;
use std::time::{Duration, Instant};

use crate::harness::Random;
use crate::operation::{Answer, Namespaces, Operation, Side};
use crate::sequence::sequence;
use crate::shorter::{Removal, without_attributes, without_messages, without_operations};

/// How long a shorter sequence is looked for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answers to the operations of a sequence, one after the other.
pub(crate) type Transcript = Vec<Vec<Answer>>;

/// Runs a sequence in the namespaces of a kernel.
pub(crate) fn transcript(namespaces: impl Namespaces, operations: &[Operation]) -> Transcript {
    let mut side = Side::new(namespaces);
    operations.iter().map(|operation| side.run(operation)).collect()
}

/// A sequence whose last operation is answered differently.
#[derive(Debug)]
pub(crate) struct Difference {
    seed: u64,
    operations: Vec<Operation>,
    left: Transcript,
    right: Transcript,
}

impl Difference {
    fn between(operations: &[Operation], (left, right): (Transcript, Transcript)) -> Option<Self> {
        let place = left.iter().zip(&right).position(|(left, right)| left != right)?;
        Some(Self {
            seed: 0,
            operations: operations[..=place].to_vec(),
            left: left[..=place].to_vec(),
            right: right[..=place].to_vec(),
        })
    }

    pub(crate) fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Makes the sequence shorter, as long as the last operation is still answered differently.
    fn shortened(mut self, run: &mut impl FnMut(&[Operation]) -> (Transcript, Transcript)) -> Self {
        let end = Instant::now() + PATIENCE;
        let mut attempt = |operations: &[Operation]| {
            let time = Instant::now() < end;
            time.then(|| Self::between(operations, run(operations))).flatten()
        };
        for remove in [without_operations, without_messages, without_attributes] {
            let mut piece = size_of(&self.operations, remove);
            while piece > 0 {
                let mut start = 0;
                while let Some(fewer) = remove(&self.operations, start..start + piece) {
                    match attempt(&fewer) {
                        Some(difference) => self = difference,
                        None => start += piece,
                    }
                }
                piece /= 2;
            }
        }
        self
    }
}

/// How many parts there are to remove.
fn size_of(operations: &[Operation], remove: Removal) -> usize {
    (0..).take_while(|start| remove(operations, *start..start + 1).is_some()).count()
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}:", self.seed)?;
        for (place, operation) in self.operations.iter().enumerate() {
            writeln!(f, "{place:4} {operation}")?;
            let last = place + 1 == self.operations.len();
            if !last {
                self.left[place]
                    .iter()
                    .try_for_each(|answer| writeln!(f, "       = {answer:.60}"))?;
                continue;
            }
            let count = self.left[place].len().max(self.right[place].len());
            for index in 0..count {
                match (self.left[place].get(index), self.right[place].get(index)) {
                    (Some(left), Some(right)) if left == right => {
                        writeln!(f, "       = {left:.60}")?;
                    }
                    (left, right) => {
                        for (sign, answer) in [('<', left), ('>', right)] {
                            if let Some(answer) = answer {
                                writeln!(f, "       {sign} {answer:.400}")?;
                            }
                        }
                        if let (Some(left), Some(right)) = (left, right) {
                            writeln!(f, "{}", left.compared(right))?;
                        }
                    }
                }
            }
        }
        Ok(())
    }
}

/// How much was compared.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Count {
    pub(crate) operations: usize,
    pub(crate) requests: usize,
    pub(crate) answers: usize,
}

/// Compares random sequences, each of at most so many sockets, until `count` requests were sent.
///
/// # Errors
///
/// The shortest sequence that was found for the first difference.
pub(crate) fn compare(
    seed: u64,
    count: usize,
    sockets: usize,
    mut run: impl FnMut(&[Operation]) -> (Transcript, Transcript),
) -> Result<Count, Difference> {
    let mut compared = Count::default();
    for seed in seed.. {
        if compared.requests >= count {
            break;
        }
        let mut random = Random::new(seed);
        let length = 20 + random.below(180);
        let operations = sequence(&mut random, length, sockets);
        let (left, right) = run(&operations);
        compared.operations += operations.len();
        compared.requests += operations.iter().map(Operation::requests).sum::<usize>();
        compared.answers += left.iter().map(Vec::len).sum::<usize>();
        if let Some(difference) = Difference::between(&operations, (left, right)) {
            return Err(Difference { seed, ..difference.shortened(&mut run) });
        }
    }
    Ok(compared)
}
