//! Tests of the built program and of the library as a whole: what goes in is an image, what comes out is compared.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests read files and the environment, and fail by panicking"
)]

mod base;
mod checks;
mod cli;
mod compare;
mod containers;
mod databases;
mod dockerfile;
mod hostile;
#[cfg(feature = "server")]
mod kubernetes;
mod limits;
mod malformed;
mod oracle;
#[cfg(feature = "rules")]
mod own_rules;
mod policies;
mod policy;
mod program;
mod recipe;
mod robustness;
mod score;
#[cfg(feature = "server")]
mod serve;
mod shared;
mod streams;
mod truth;
