//! Turns what was read into samples: names, labels, types, units and values for a monitoring system.
