//! Attribution as a whole.
