//! What kind of application an image runs: the language of its entry point.

/// The language of the program that the container starts, which chooses the baselines that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Language {
    /// CPython, PyPy.
    Python,
    /// Node.js.
    Node,
    /// A Java virtual machine.
    Java,
    /// A program built by Go.
    Go,
    /// A program built by rustc.
    Rust,
    /// Anything else, or nothing that can be told.
    #[default]
    Other,
}

/// What runs, and what tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runtime {
    /// The language.
    pub language: Language,
    /// Why, one clause; names from the image escaped.
    pub reason: String,
}
