//! `plimsoll serve`: admission at push and in Kubernetes. A request in, the same verification as `plimsoll check`, a decision out.
//!
//! Every hook asks [`Verdicts`] for an image's [`Outcome`] and lets [`decision::decide`] say what becomes of it: that is the one place
//! where a failure turns into an answer. Unverifiable is never a pass.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![expect(clippy::disallowed_methods, reason = "a server looks at the clock: deadlines, durations")]

mod api;
pub mod auth;
pub mod client;
pub mod config;
pub mod context;
pub mod crowd;
pub mod decision;
pub mod engine;
mod expiry;
pub mod gate;
pub mod host;
pub mod http;
pub mod key;
pub mod kubernetes;
pub mod live;
pub mod logs;
pub mod metrics;
mod operations;
mod reload;
pub mod request;
pub mod run;
pub mod tls;
pub mod verdict;

pub use decision::{Answer, Decision, Hook, decide};
pub use verdict::{Access, Ask, Judged, Outcome, Verdicts};
