//! The second promise: nothing outside the scope is ever written.

use ipvs_netlink::Change;

use crate::judge::knowledge::objects;
use crate::judge::{Case, Verdict};

/// Judges a list of changes that are about to be written.
pub(crate) fn judge(case: &Case<'_>, writes: &[Change]) -> Verdict {
    for change in writes {
        let (Some(id), _) = objects(change) else {
            return Err(format!("writes what is no single service: {change}"));
        };
        if !case.wishes.may_change(case.options, id) {
            return Err(format!("{id} is outside the scope: {change}"));
        }
    }
    Ok(())
}
