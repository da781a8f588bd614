//! Says which destination the kernel would choose for a client, and why.
