//! Tests of the way from the config to the program.
