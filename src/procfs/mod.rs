//! Reads what the kernel shows of IPVS under `/proc`: connections, totals and settings.
