//! What was learnt before and need not be learnt again: layer indexes by blob digest, verdicts by manifest digest and policy.
//!
//! A cache may only save time. So nothing in here is an error: a store that fails is a miss, counted and reported once, and an entry
//! that is not exactly what was written under its key is a miss and removed. What is looked up is named by digests of bytes that the
//! caller computed or that a manifest pins, never by what a config claims (`layers`).
//!
//! `entry` is the form of an entry, `store` what holds entries (`memory`, `directory`, `redis`), `tiers` asks one store after the
//! other, `layers` and `verdicts` say what is kept under which key, `flight` and `lease` keep two from doing the same work.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
#![expect(
    clippy::disallowed_methods,
    reason = "the age of files, the pause after a failure and the deadlines of a network are times"
)]

mod directory;
mod entry;
mod flight;
mod key;
mod layers;
mod lease;
mod memory;
mod redis;
mod store;
#[cfg(test)]
mod testing;
mod tiers;
mod verdicts;

pub use directory::{Directory, Refused, Usage};
pub use entry::{opened, sealed};
pub use flight::Flights;
pub use key::{Key, Kind};
pub use layers::{Layers, Shape};
pub use lease::{Claim, Leases, Token};
pub use memory::Memory;
pub use redis::{MalformedAddress, Redis};
pub use store::{Fault, Store};
pub use tiers::{Counts, Tiers};
pub use verdicts::{Question, Verdicts};
