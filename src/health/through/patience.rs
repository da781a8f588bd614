/// The most that a check waits before the program is told.
const LONGEST: u32 = 20;

/// How much a check has to wait for a source port: more than a third of its attempts, for a while,
/// is too much.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    used: u32,
    over: bool,
}

impl Patience {
    /// Counts an attempt without a port. Returns `true` if there were too many.
    pub(crate) fn waits(&mut self) -> bool {
        self.used = (self.used + 2).min(LONGEST);
        self.over |= self.used == LONGEST;
        self.over
    }

    /// Counts an attempt with a port. Returns `true` if there are too many without one still.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.used = self.used.saturating_sub(1);
        self.over &= self.used > 0;
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_now_and_then_is_patient_and_half_of_the_time_is_not() {
        let mut patience = Patience::default();
        let rare = (0..1000).any(|_| patience.waits() || patience.goes_on() || patience.goes_on());
        assert!(!rare);
        let told = (0..1000).position(|_| patience.waits() || patience.goes_on());
        assert!(told.is_some_and(|attempts| attempts < 30), "{told:?}");
        // Half of the time is still too much, and not told off.
        assert!((0..1000).all(|_| patience.waits() && patience.goes_on()));
        let good = (0..1000).position(|_| !patience.goes_on());
        assert!(good.is_some_and(|attempts| attempts < 30), "{good:?}");
        assert!(!patience.waits(), "it begins again");
    }
}
