//! What is decided, on hosts of plain data.
