/// The example of a method, for the blocking client or, with `async`, for the async ones.
macro_rules! example {
    (apply_from) => {
        include_str!("examples/apply_from.md")
    };
    (async apply_from) => {
        include_str!("examples/apply_from_async.md")
    };
    (apply_with) => {
        include_str!("examples/apply_with.md")
    };
    (async apply_with) => {
        include_str!("examples/apply_with_async.md")
    };
    (reconcile) => {
        include_str!("examples/reconcile.md")
    };
    (async reconcile) => {
        include_str!("examples/reconcile_async.md")
    };
    (drain_with) => {
        include_str!("examples/drain_with.md")
    };
    (async drain_with) => {
        include_str!("examples/drain_with_async.md")
    };
    (snapshot_of) => {
        include_str!("examples/snapshot_of.md")
    };
    (async snapshot_of) => {
        include_str!("examples/snapshot_of_async.md")
    };
    (set_weight_of) => {
        include_str!("examples/set_weight_of.md")
    };
    (async set_weight_of) => {
        include_str!("examples/set_weight_of_async.md")
    };
}
pub(crate) use example;
