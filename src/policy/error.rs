//! What is wrong with a policy: where, what, and what to do.

use super::place::Place;

/// Why there is no policy. Names and texts of the file stand in it as they are: escape them before they reach a terminal.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No shipped policy has this name.
    #[error("{}there is no shipped policy '{name}'; {advice}", at(place.as_ref()))]
    UnknownPolicy {
        /// Where it was asked for; None: by the caller.
        place: Option<Place>,
        /// The name.
        name: String,
        /// What to do.
        advice: String,
    },
    /// The file could not be read.
    #[error("{}cannot read the policy file '{file}': {problem}", at(place.as_ref()))]
    Unreadable {
        /// Where it was asked for; None: by the caller.
        place: Option<Place>,
        /// The path.
        file: String,
        /// What the reader says.
        problem: String,
    },
    /// Not TOML, or a value of the wrong kind.
    #[error("{place}: {problem}")]
    Malformed {
        /// Where.
        place: Place,
        /// What the parser says.
        problem: String,
    },
    /// A key that no policy has, or a word that is none of those wanted.
    #[error("{place}: unknown {what} '{word}'; {advice}")]
    UnknownWord {
        /// Where.
        place: Place,
        /// `key`, `check`, `measurement` or `value`.
        what: &'static str,
        /// The word.
        word: String,
        /// Those like it, or where to find them all.
        advice: String,
    },
    /// Policies that extend one another in a circle.
    #[error("{place}: '{file}' extends itself by way of this file; take one of the two out of `extends`")]
    Circle {
        /// Where the circle closes.
        place: Place,
        /// The file that was met again.
        file: String,
    },
    /// Too many policies that extend one another.
    #[error("{place}: more than {limit} policies {how}; put some of them into one file")]
    TooMany {
        /// Where the first one too many is asked for.
        place: Place,
        /// The most.
        limit: usize,
        /// `above one another` or `in all`.
        how: &'static str,
    },
    /// A value that must not be empty.
    #[error("{place}: `{key}` must not be empty")]
    Empty {
        /// Where.
        place: Place,
        /// The key.
        key: &'static str,
    },
    /// A glob that cannot be understood.
    #[error("{place}: '{glob}' is not a glob: {problem}; docs/policy.md tells how globs are written")]
    Glob {
        /// Where.
        place: Place,
        /// The glob.
        glob: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Too many globs.
    #[error("{place}: more than {limit} globs; write fewer and wider ones")]
    TooManyGlobs {
        /// Where the first one too many is.
        place: Place,
        /// The most.
        limit: usize,
    },
    /// A number out of its range.
    #[error("{place}: `{key}` is {found}; it must be {wanted}")]
    Range {
        /// Where.
        place: Place,
        /// The key.
        key: String,
        /// The value.
        found: f64,
        /// What it must be.
        wanted: &'static str,
    },
    /// Something that must be there once is there twice.
    #[error("{place}: the {what} '{name}' is already at {first}; take one of them out")]
    Duplicate {
        /// Where the second is.
        place: Place,
        /// `rule`, `control`, `group` or `measurement`.
        what: &'static str,
        /// The id.
        name: String,
        /// Where the first is.
        first: Place,
    },
    /// An own rule's id that is taken or not of the right form.
    #[error("{place}: '{id}' cannot be the id of a rule: {problem}")]
    RuleId {
        /// Where.
        place: Place,
        /// The id.
        id: String,
        /// Why not.
        problem: &'static str,
    },
    /// An own rule's expression that cannot be understood.
    #[error("{place}: the rule '{id}' cannot be understood: {problem}")]
    Rule {
        /// Where its expression is.
        place: Place,
        /// The rule.
        id: String,
        /// What the expression language says.
        problem: String,
    },
    /// A digest that is none.
    #[error("{place}: '{found}' is not a digest; write `sha256:` and 64 hex digits in lower case")]
    Digest {
        /// Where.
        place: Place,
        /// The text.
        found: String,
    },
    /// A cap that names neither checks nor a severity.
    #[error("{place}: this cap would hold for every image; give it `checks`, `severity` or both")]
    CapOfAll {
        /// Where.
        place: Place,
    },
    /// Grades whose least scores do not fall from A to D.
    #[error(
        "{place}: grade {better} starts at {better_from}, grade {worse} at {worse_from}; each grade must start above the next"
    )]
    Grades {
        /// Where the worse grade is.
        place: Place,
        /// The better grade.
        better: &'static str,
        /// Its least score.
        better_from: f64,
        /// The worse grade.
        worse: &'static str,
        /// Its least score.
        worse_from: f64,
    },
}

fn at(place: Option<&Place>) -> String {
    place.map(|place| format!("{place}: ")).unwrap_or_default()
}
