//! Waivers: findings that somebody accepted, for a reason and until a day.
//!
//! A waiver accepts findings of one check. Its path glob (`glob`) must fit every place of a finding, alone or together with other
//! waivers that hold: a finding that is accepted in part is not accepted. A place without a path, such as a field of the config, is
//! accepted only by a waiver without a path. Image and digest narrow the scope; where both are given both must fit.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Date;
use super::glob::{Globs, Slash};
use super::judge::Subject;
use crate::finding::{Evidence, Finding};

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Waiver {
    /// Id of the check or rule.
    pub check: String,
    /// Glob over the paths of the evidence; None: whatever the evidence.
    pub path: Option<String>,
    /// Glob over the image's name, with or without its tag and digest; None: every image.
    pub image: Option<String>,
    /// Manifest or config digest; None: every image.
    pub digest: Option<String>,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub expires: Date,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Where it stands: file name and line, for messages.
    pub place: String,
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaiverState {
    /// It accepts a finding, alone or with others.
    Used,
    /// It accepts none.
    Unused,
    /// Its last day is over, whether or not it would accept anything.
    Expired,
}

impl WaiverState {
    /// The name in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Unused => "unused",
            Self::Expired => "expired",
        }
    }
}

impl Waiver {
    /// Whether it holds on this day: its last day is one of them.
    #[must_use]
    pub fn holds(&self, as_of: Date) -> bool {
        as_of <= self.expires
    }

    /// What became of it; `is_used` when some image's judgement names it.
    #[must_use]
    pub fn state(&self, as_of: Date, is_used: bool) -> WaiverState {
        match (self.holds(as_of), is_used) {
            (false, _) => WaiverState::Expired,
            (true, true) => WaiverState::Used,
            (true, false) => WaiverState::Unused,
        }
    }

    /// Whether it speaks of this image.
    fn is_about(&self, subject: &Subject) -> bool {
        let fits = |pattern: &str| {
            let spellings = subject.references.iter().flat_map(|reference| spellings(reference));
            let globs = Globs::new(std::iter::once((0, pattern)), Slash::Separates);
            spellings.into_iter().any(|name| globs.is_match(name.as_bytes()))
        };
        let has_name = self.image.as_deref().is_none_or(fits);
        has_name && self.digest.as_ref().is_none_or(|digest| subject.digests.contains(digest))
    }
}

/// `host/name:tag@digest`, `host/name:tag`, `host/name`.
fn spellings(reference: &str) -> [&str; 3] {
    let tagged = reference.split_once('@').map_or(reference, |(name, _)| name);
    let last = tagged.rsplit('/').next().unwrap_or(tagged);
    let tag = last.find(':').map_or(0, |at| last.len().saturating_sub(at));
    let name = tagged.get(..tagged.len().saturating_sub(tag)).unwrap_or(tagged);
    [reference, tagged, name]
}

/// The waivers that hold for one image, by check.
#[derive(Debug)]
pub(super) struct Holding<'a>(BTreeMap<&'a str, Covering>);

/// Waivers of one check, numbered by rank.
#[derive(Debug)]
struct Covering {
    /// By rank: index into the policy's waivers. First those that hold longest.
    indexes: Vec<usize>,
    /// Ranks of those without a path.
    whole: Vec<usize>,
    globs: Globs,
}

/// How a finding is accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Acceptance {
    /// Index of the waiver to name: of the waivers that the finding needs, the first to end.
    pub(super) waiver: usize,
    /// Indexes of all that have a part in it.
    pub(super) used: BTreeSet<usize>,
}

impl<'a> Holding<'a> {
    /// Sorts out what has expired and what speaks of other images, and compiles the globs of the rest.
    pub(super) fn new(waivers: &'a [Waiver], subject: &Subject, as_of: Date) -> Self {
        let mut by_check: BTreeMap<&str, Vec<(usize, &Waiver)>> = BTreeMap::new();
        for (index, waiver) in waivers.iter().enumerate().filter(|(_, it)| it.holds(as_of) && it.is_about(subject)) {
            by_check.entry(&waiver.check).or_default().push((index, waiver));
        }
        Self(by_check.into_iter().map(|(check, waivers)| (check, Covering::new(waivers))).collect())
    }

    /// How the finding is accepted; None when it is not, or not wholly.
    pub(super) fn accept(&self, finding: &Finding) -> Option<Acceptance> {
        self.0.get(finding.check.as_str())?.accept(&finding.observation.evidence)
    }
}

impl Covering {
    fn new(mut waivers: Vec<(usize, &Waiver)>) -> Self {
        // by what they say, so that the order of the file does not decide which one a report names
        waivers.sort_by(|(_, a), (_, b)| (Reverse(a.expires), a).cmp(&(Reverse(b.expires), b)));
        let ranked = || waivers.iter().enumerate().map(|(rank, (_, waiver))| (rank, waiver.path.as_deref()));
        Self {
            indexes: waivers.iter().map(|(index, _)| *index).collect(),
            whole: ranked().filter(|(_, path)| path.is_none()).map(|(rank, _)| rank).collect(),
            globs: Globs::new(ranked().filter_map(|(rank, path)| Some((rank, path?))), Slash::Separates),
        }
    }

    fn accept(&self, evidence: &[Evidence]) -> Option<Acceptance> {
        let mut used: BTreeSet<usize> = self.whole.iter().copied().collect();
        let whole = self.whole.first().copied();
        let mut last = if evidence.is_empty() { Some(whole?) } else { None };
        let mut positions = Vec::new();
        for place in evidence {
            let mut best = whole;
            if let Some(path) = path_of(place) {
                for rank in self.globs.matches(path, &mut positions) {
                    used.insert(rank);
                    best = Some(best.map_or(rank, |best| best.min(rank)));
                }
            }
            last = last.max(Some(best?));
        }
        let index = |rank: usize| self.indexes.get(rank).copied();
        Some(Acceptance { waiver: index(last?)?, used: used.into_iter().filter_map(index).collect() })
    }
}

/// The path by which a policy may speak of a place. A field of the config has none, whatever else is known of it.
pub(super) fn path_of(place: &Evidence) -> Option<&[u8]> {
    place.path.as_deref().filter(|_| place.config.is_none())
}
