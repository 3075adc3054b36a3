//! What a recipe expects: the verdict on the form, the codes, the user, and the trees as lines.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::graph::hex;
use super::text::bytes;

/// The verdict on an image's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Nothing to say of its form.
    Accept,
    /// The tree is known, and there is something to say.
    Flag,
    /// No verdict is possible: exit code 3.
    Reject,
}

/// What is expected.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) verdict: Verdict,
    #[serde(default)]
    pub(crate) codes: Vec<String>,
    /// Codes that may stand beside the expected ones, since one cause has two sides.
    #[serde(default)]
    pub(crate) also: Vec<String>,
    #[serde(default)]
    pub(crate) user: Option<User>,
    /// One line an entry: `PATH TYPE MODE UID:GID` and the content, target or device.
    #[serde(default)]
    pub(crate) tree: String,
    /// Where it differs from `tree`.
    #[serde(default)]
    pub(crate) sequential: Option<String>,
    /// Sequential unpackers refuse the image, so there is nothing to compare with.
    #[serde(default)]
    pub(crate) sequential_unknown: bool,
}

/// Who the container runs as.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    #[serde(default)]
    pub(crate) groups: Vec<u32>,
}

/// The lines of a tree, sorted, as [`crate::listing`] writes them: contents become sizes and digests.
pub(crate) fn lines(tree: &str) -> Vec<String> {
    let mut lines: Vec<String> = tree.lines().filter(|line| !line.trim().is_empty()).map(line).collect();
    lines.sort();
    lines
}

/// Splits at runs of blanks, except inside the quotes that end a line.
fn line(line: &str) -> String {
    let (head, text) = line.split_once('"').map_or((line, None), |(head, text)| (head, text.trim_end().strip_suffix('"')));
    let mut words: Vec<String> = head.split_whitespace().map(long_name).collect();
    if let Some(text) = text {
        let content = bytes(text);
        words.extend([content.len().to_string(), hex(&Sha256::digest(&content))]);
    }
    words.join(" ")
}

/// `{n*200}` in a path, and nothing else: a path is already escaped as reports escape it.
fn long_name(word: &str) -> String {
    if word.contains('{') { String::from_utf8(bytes(word)).expect("long names are ASCII") } else { word.to_owned() }
}

#[test]
fn a_line_holds_size_and_digest_of_its_text() {
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(
        lines("/b dir 0755 0:0\n/a  file 0644 1:2 \"\"\n"),
        [format!("/a file 0644 1:2 0 {empty}"), "/b dir 0755 0:0".into()]
    );
}
