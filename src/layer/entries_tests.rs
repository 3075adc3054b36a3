//! Tests of entry cleaning.
