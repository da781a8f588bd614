//! Tests of the desk with a clock of their own.
