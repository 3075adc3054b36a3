//! Which part of the work is at hand, told to whoever holds a clock: this room has none.

use std::fmt;

/// A part of the work on one image, in order; images come one after the other, and each has them all anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Opening the source: its index, its manifests, its configs; of a stream, and of an archive that is compressed as a whole,
    /// every layer.
    Open,
    /// Reading layers: inflating, hashing, framing, learning from bodies, searching for secrets.
    Layers,
    /// Stacking the layers, and reading again the bodies that only the whole tree names.
    Merge,
    /// Gathering facts.
    Facts,
    /// Running the checks, on as many cores as there are.
    Checks,
    /// Base and lines, ballast and score, own rules, policy.
    Judgement,
    /// From what was found to what is reported.
    Report,
}

impl Stage {
    /// One word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Layers => "layers",
            Self::Merge => "merge",
            Self::Facts => "facts",
            Self::Checks => "checks",
            Self::Judgement => "judgement",
            Self::Report => "report",
        }
    }
}

/// What happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// A stage begins; the one before has then ended.
    Begins(Stage),
    /// The check of this id begins on the thread that tells of it; the one before has then ended there.
    Check(&'static str),
    /// The last check of this thread has ended.
    NoMoreChecks,
}

/// Is told what happens.
pub struct Watcher(pub Box<dyn Fn(Moment) + Send + Sync>);

impl fmt::Debug for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Watcher")
    }
}
