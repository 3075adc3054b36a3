//! What the server needs of the world around it: files, policies, the day. The command line gives it; tests give their own.

use std::path::Path;

use crate::policy::{Date, Loaded, PolicyError};

/// The world, as plain functions.
#[derive(Debug, Clone, Copy)]
pub struct Host {
    /// The text of a regular file of at most so many bytes; why it cannot be read, in one clause without the file's name.
    pub read: fn(&Path, u64) -> Result<String, String>,
    /// A shipped policy by its name, or that of a file, with all that it extends.
    pub open_policy: fn(&str) -> Result<Loaded, Vec<PolicyError>>,
    /// Today in UTC: the day by which waivers are judged.
    pub today: fn() -> Date,
}
