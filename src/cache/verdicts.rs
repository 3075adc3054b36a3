//! Reports of images, by what was judged and by what: pass and fail alike, never one that could not be reached.

use super::{Key, Kind, Tiers};
use crate::oci::{BlobDigest, Platform};

/// What a verdict answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'a> {
    /// The manifest or index that was asked for, by the digest of its bytes.
    pub manifest: &'a BlobDigest,
    /// The platform, where one of an index was asked for.
    pub platform: Option<&'a Platform>,
    /// Digest of everything else that decides: the policy with the waivers that hold, known bases, baselines, limits.
    pub judged_by: &'a str,
}

impl Question<'_> {
    /// The key of its verdict; also of the work that finds it.
    #[must_use]
    pub fn key(&self) -> Key {
        let platform = self.platform.map_or_else(|| "all".to_owned(), ToString::to_string);
        // of the three only the platform is free text, and it stands last
        Key::new(Kind::Verdict, &format!("{}\n{}\n{platform}", self.manifest, self.judged_by))
    }
}

/// Reports in stores. Clones share everything.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    tiers: Tiers,
}

impl Verdicts {
    /// In these stores.
    #[must_use]
    pub fn new(tiers: Tiers) -> Self {
        Self { tiers }
    }

    /// The stores, for their counts and warnings.
    #[must_use]
    pub fn tiers(&self) -> &Tiers {
        &self.tiers
    }

    /// The report that was kept, as it was written.
    #[must_use]
    pub fn find(&self, question: &Question<'_>) -> Option<Vec<u8>> {
        self.tiers.find(&question.key(), Some)
    }

    /// Keeps a report whose verdict is pass or fail. That it is neither an error nor a timeout is for the caller to see to.
    pub fn keep(&self, question: &Question<'_>, report: &[u8]) {
        self.tiers.keep(&question.key(), report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::testing::Held;

    #[test]
    fn a_verdict_answers_its_own_question_alone() {
        let verdicts = Verdicts::new(Tiers::new(vec![Box::new(Held::default())]));
        let digest = |digit: &str| -> BlobDigest { format!("sha256:{}", digit.repeat(64)).parse().unwrap() };
        let (one, other) = (digest("1"), digest("2"));
        let platform: Platform = "linux/arm64".parse().unwrap();
        let question = Question { manifest: &one, platform: None, judged_by: "p" };
        verdicts.keep(&question, b"{}");
        assert_eq!(verdicts.find(&question).as_deref(), Some(&b"{}"[..]));
        for different in [
            Question { manifest: &other, ..question.clone() },
            Question { platform: Some(&platform), ..question.clone() },
            Question { judged_by: "q", ..question.clone() },
        ] {
            assert_eq!(verdicts.find(&different), None, "{different:?}");
        }
    }
}
