//! Who the container runs as: `config.User` resolved in the final tree as moby/sys/user resolves it.

/// The effective user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// `config.User`, verbatim.
    pub configured: String,
    /// None when it does not resolve.
    pub uid: Option<u32>,
    /// None when it does not resolve.
    pub gid: Option<u32>,
    /// Supplementary groups, sorted.
    pub groups: Vec<u32>,
    /// Why the container will not start as this user.
    pub problem: Option<UserProblem>,
}

/// Why a user does not resolve. Names are raw text from the config.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserProblem {
    /// The name is not in `/etc/passwd`.
    UnknownUser(String),
    /// The group's name is not in `/etc/group`.
    UnknownGroup(String),
    /// A number outside 0 to 2^31-1.
    OutOfRange(String),
    /// More than one colon, which containerd refuses.
    Malformed(String),
}
