//! Tests of the ELF probe.
