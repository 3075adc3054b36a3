//! plimsoll reads a built container image, rebuilds the filesystem a runtime would mount, and says what is wrong with it.
//!
//! The data flows one way, and `tests/tidy.rs` holds who may name whom:
//!
//! ```text
//! source --blobs--> layer --LayerIndex--> rootfs --Rootfs--> facts --Image--> checks --Observation--> policy --> score --> report
//!   oci, limits: nouns and caps, under all            build --'       '-----> rules (the policy's own) --'
//!   archive: decompression and tar framing, under source and layer
//!   secret: what keys, tokens and files of credentials look like, under layer and build
//!   build: which instruction wrote a layer, and which layers are the base image's
//! ```
//!
//! Invariants:
//! - every byte of an image that is judged was read, and its size, digest and diff_id verified, to the last byte;
//! - nothing from outside is trusted for a size, a count, an index or a path on the host;
//! - what was not examined is said, and is never a pass;
//! - every number of the score stands in a policy or in a recorded baseline, none in code;
//! - the same image, policy and day give the same report, byte for byte.

pub mod archive;
pub mod build;
pub mod cache;
pub mod checks;
pub mod cli;
pub mod facts;
pub mod finding;
pub mod layer;
pub mod limits;
pub mod oci;
pub mod policy;
pub mod report;
pub mod rootfs;
pub mod rules;
pub mod score;
pub mod secret;
#[cfg(feature = "server")]
pub mod serve;
pub mod source;
pub mod verify;
