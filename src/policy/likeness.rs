//! "Did you mean": words that are spelt much like another.

/// Longer words are cut before they are compared: the measure takes time in proportion to the product of the lengths.
const MOST_LETTERS: usize = 64;
/// Words that are no more alike than this are not named.
const LEAST_LIKENESS: f64 = 0.8;
/// Words that are named at most.
const MOST_NAMED: usize = 3;

/// "did you mean A or B?", or `otherwise` when no word is like it.
pub(super) fn advice<'w>(word: &str, words: impl Iterator<Item = &'w str>, otherwise: &str) -> String {
    let alike = likest(word, words);
    if alike.is_empty() { otherwise.to_owned() } else { format!("did you mean {}?", alike.join(" or ")) }
}

/// At most three of `words` that are spelt much like `word`, or hold it, the likest first.
pub fn likest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Vec<&'w str> {
    let plain = |word: &str| word.chars().take(MOST_LETTERS).collect::<String>().to_lowercase().replace('_', "-");
    let word = plain(word);
    let likeness = |other: &str| {
        let other = plain(other);
        if word.len() >= 3 && other.contains(word.as_str()) { 1.0 } else { strsim::jaro_winkler(&word, &other) }
    };
    let mut scored: Vec<(f64, &str)> =
        words.map(|other| (likeness(other), other)).filter(|(score, _)| *score > LEAST_LIKENESS).collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(left.cmp(right)));
    scored.dedup();
    scored.into_iter().take(MOST_NAMED).map(|(_, other)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_words_find_those_like_them() {
        let words = ["compiler", "root-user", "setuid-file", "setgid-file"];
        let of = |word| advice(word, words.into_iter(), "see the list");
        assert_eq!(of("compilers"), "did you mean compiler?");
        assert_eq!(of("root_user"), "did you mean root-user?");
        assert_eq!(of("setuid-fil"), "did you mean setuid-file or setgid-file?");
        assert_eq!(of("zzz"), "see the list");
        assert_eq!(of(""), "see the list");
        assert_eq!(of(&"x".repeat(1 << 20)), "see the list");
    }
}
