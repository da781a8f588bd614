//! Tests that go through more than one file of the module.

mod parsing;
