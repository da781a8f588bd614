//! Tells how much the counters grew between two snapshots, and how fast.
