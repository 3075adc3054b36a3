//! Tests of the built program and of the library as a whole: what goes in is an image, what comes out is compared.

#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "tests read files and the environment, and fail by panicking"
)]

mod accuracy;
mod action;
mod applications;
mod attribution;
mod base;
mod book;
mod cache;
mod cat;
mod checks;
mod cli;
mod compare;
mod containers;
mod convert;
mod databases;
mod desk;
mod dockerfile;
#[cfg(feature = "server")]
mod engine;
#[cfg(feature = "server")]
mod gate;
mod hostile;
#[cfg(feature = "server")]
mod in_process;
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
#[cfg(feature = "registry")]
mod registry;
#[cfg(feature = "registry")]
mod registry_server;
mod robustness;
mod sarif;
mod score;
mod secrets;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod serve_chain;
mod shared;
mod startup;
mod streams;
mod templates;
mod truth;
mod why;
