//! Runs sequences on two sides, and looks for the shortest that gives different answers.

use std::fmt;

use crate::harness::Random;
use crate::operation::{Answer, Namespaces, Operation, Side};
use crate::sequence::{sequence, shorter, simpler};

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
        let mut attempts = 0..1500;
        let mut attempt = |operations: &[Operation]| {
            attempts.next()?;
            Self::between(operations, run(operations))
        };
        let mut piece = self.operations.len();
        while piece > 0 {
            piece = piece.min(self.operations.len());
            let found = shorter(&self.operations, piece).find_map(|fewer| attempt(&fewer));
            match found {
                Some(difference) => self = difference,
                None => piece /= 2,
            }
        }
        loop {
            let found = simpler(&self.operations).iter().find_map(|simpler| attempt(simpler));
            match found {
                Some(difference) => self = difference,
                None => return self,
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "seed {}:", self.seed)?;
        for (place, operation) in self.operations.iter().enumerate() {
            writeln!(f, "{place:4} {operation}")?;
            let last = place + 1 == self.operations.len();
            let (left, right) = (&self.left[place], &self.right[place]);
            for (index, answer) in left.iter().enumerate() {
                let same = right.get(index) == Some(answer);
                writeln!(f, "       {} {answer}", if same { "=" } else { "<" })?;
            }
            for (index, answer) in right.iter().enumerate() {
                if last && left.get(index) != Some(answer) {
                    writeln!(f, "       > {answer}")?;
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
