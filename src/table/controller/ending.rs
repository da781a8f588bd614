/// How `run` of an async client ends when there are no more wishes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// Ends at once. The table stays as it is; a destination that drains keeps weight 0.
    #[default]
    Keep,
    /// Lets all services of the controller leave, waits for their drains, and ends when they have
    /// left.
    Withdraw,
}
