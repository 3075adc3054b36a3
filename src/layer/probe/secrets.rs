//! Searches text files for secrets while they stream by: small ones for all formats, large ones for private keys.

use crate::limits::Limits;
use crate::secret::{self, CredentialFile, Keys, Secrets};

/// Beginnings of files that are no text, though their first bytes may hold no NUL: archives, pictures, documents.
const BINARY: &[&[u8]] = &[
    b"\x1f\x8b",
    b"PK\x03\x04",
    b"\x28\xb5\x2f\xfd",
    b"\xfd7zXZ",
    b"BZh",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"%PDF",
    b"GIF8",
    b"!<arch>",
    b"SQLite format 3",
    b"\xca\xfe\xba\xbe",
    b"OggS",
    b"RIFF",
    b"wOF",
];

/// What the file at hand is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Search {
    /// Nothing: it is no text.
    #[default]
    Nothing,
    /// Everything, when it has passed by.
    Everything,
    /// Private keys, as it passes by.
    Keys,
}

/// Looks at one file after the other; its buffers are used again.
#[derive(Debug, Default)]
pub(super) struct SecretProbe {
    search: Search,
    file: Option<CredentialFile>,
    text: Vec<u8>,
    keys: Keys,
}

impl SecretProbe {
    /// A file begins.
    pub(super) fn start(&mut self, path: &[u8]) {
        self.search = Search::Nothing;
        self.file = CredentialFile::at(path);
        self.text.clear();
    }

    /// Decides from the first bytes how to search, and looks at them.
    pub(super) fn sniff(&mut self, head: &[u8], size: u64, limits: &Limits) {
        if head.is_empty() || head.contains(&0) || BINARY.iter().any(|magic| head.starts_with(magic)) {
            return;
        }
        self.search = if limits.secret_file_bytes(size).is_ok() { Search::Everything } else { Search::Keys };
        if self.search == Search::Keys {
            self.keys.start();
        }
        self.push(head);
    }

    /// Its next bytes.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        match self.search {
            Search::Nothing => {}
            Search::Everything => self.text.extend_from_slice(bytes),
            Search::Keys => self.keys.push(bytes),
        }
    }

    /// Whether it wants to see the rest of the file.
    pub(super) fn is_active(&self) -> bool {
        self.search != Search::Nothing
    }

    /// What was found, and why not everything was looked at.
    pub(super) fn finish(&mut self) -> (Option<Box<Secrets>>, Option<String>) {
        let (secrets, is_whole) = match std::mem::take(&mut self.search) {
            Search::Nothing => return (None, None),
            Search::Everything => secret::search(&self.text, self.file.take()),
            Search::Keys => (self.keys.finish(), true),
        };
        let reason = (!is_whole).then(|| "it holds so many beginnings of tokens that not all were looked at".to_owned());
        ((!secrets.is_empty()).then(|| Box::new(secrets)), reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Kind;
    use crate::secret::testing::{checksummed, rsa_key};

    fn found(path: &str, chunks: &[&[u8]], limits: &Limits) -> Vec<(Kind, u32)> {
        let mut probe = SecretProbe::default();
        probe.start(path.as_bytes());
        let size = chunks.iter().map(|chunk| chunk.len() as u64).sum();
        let (head, rest) = chunks.split_first().unwrap();
        probe.sniff(head, size, limits);
        for chunk in rest {
            probe.push(chunk);
        }
        probe
            .finish()
            .0
            .map(|secrets| secrets.found.iter().map(|secret| (secret.kind, secret.line)).collect())
            .unwrap_or_default()
    }

    #[test]
    fn small_texts_are_searched_for_everything_and_large_ones_for_keys() {
        let text = format!("{}\n{}", checksummed("ghp_", 1), rsa_key(1));
        let limits = Limits { secret_file_bytes: text.len() as u64, ..Limits::default() };
        assert_eq!(found("/a", &[text.as_bytes()], &limits), [(Kind::GithubToken, 1), (Kind::RsaKey, 2)]);
        assert_eq!(found("/a", &[text.as_bytes(), b" "], &limits), [(Kind::RsaKey, 2)]);
    }

    #[test]
    fn what_is_no_text_by_its_first_bytes_is_passed_over() {
        let key = rsa_key(1);
        for head in [&b"\x7fELF\0"[..], b"\x1f\x8b\x08", b"PK\x03\x04", b"a\0"] {
            assert_eq!(found("/a", &[head, key.as_bytes()], &Limits::default()), [], "{head:?}");
        }
        assert_eq!(found("/a", &[b"\xff\xfe text\n", key.as_bytes()], &Limits::default()), [(Kind::RsaKey, 2)]);
    }

    #[test]
    fn files_of_credentials_are_told_by_their_paths() {
        let text: &[&[u8]] = &[b"password=", b"hunter2\n"];
        assert_eq!(found("/r/.my.cnf", text, &Limits::default()), [(Kind::MysqlFile, 1)]);
        assert_eq!(found("/r/my.txt", text, &Limits::default()), []);
    }

    #[test]
    fn too_many_beginnings_are_said() {
        let mut probe = SecretProbe::default();
        probe.start(b"/a");
        probe.sniff(&b"AKIA ".repeat(100_000), 500_000, &Limits::default());
        assert!(probe.finish().1.is_some_and(|reason| reason.contains("not all were looked at")));
    }

    #[test]
    fn what_is_written_of_a_file_holds_no_value() {
        let (token, key) = (checksummed("ghp_", 1), rsa_key(1));
        let text = format!("DB_PASSWORD=hunter2-hunter2\nA_TOKEN={token}\n{key}");
        let mut probe = SecretProbe::default();
        probe.start(b"/app/.env");
        probe.sniff(text.as_bytes(), text.len() as u64, &Limits::default());
        let secrets = probe.finish().0.unwrap();
        let written = postcard::to_stdvec(&secrets).unwrap();
        assert_eq!(secrets.found.len(), 3);
        for value in ["hunter2-hunter2", &token, &key] {
            let is_part = |part: &[u8]| written.windows(part.len()).any(|window| window == part);
            assert!(!value.as_bytes().windows(5).any(is_part), "{value}");
        }
    }
}
