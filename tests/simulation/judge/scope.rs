//! The second promise: nothing outside the scope is ever written.

use ipvs_netlink::table::controller::Write;

use crate::judge::knowledge::objects;
use crate::judge::{Case, Verdict};

/// Judges a list of changes that are about to be written.
pub(crate) fn judge(case: &Case<'_>, writes: &[Write]) -> Verdict {
    for Write { change, .. } in writes {
        let (Some(id), _) = objects(change) else {
            return Err(format!("writes what is no single service: {change}"));
        };
        if !case.wishes.may_change(case.options, id) {
            return Err(format!("{id} is outside the scope: {change}"));
        }
    }
    Ok(())
}
