//! The fake kernel against captured bytes.

mod captures;
