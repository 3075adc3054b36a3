//! Private keys in their textual frame (RFC 7468; OpenSSH; RFC 9580 6.2), told by what the frame holds, not by the frame alone.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::memmem;

use super::alphabet::entropy;
use super::formats::Hit;
use super::kind::Kind;
use super::{Lines, Secret, Secrets, Span};

/// What a frame begins with.
pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// Bytes of one frame: a key of 16,384 bits has 13 KiB, and PGP's have signatures beside them.
const MOST_BYTES: usize = 64 * 1024;
/// Bytes of a label.
const LABEL: usize = 40;
/// Bytes that the smallest key has: Ed25519 in PKCS #8.
const LEAST_BYTES: usize = 48;
/// Base64 characters of a body that is none of the known forms, and that is a key all the same when it is all that a file holds.
const UNREAD: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// The private key whose frame begins at `start`.
pub(super) fn key(text: &[u8], start: Span) -> Option<Hit> {
    let frame = text.get(start.start..start.start.saturating_add(MOST_BYTES).min(text.len()))?;
    let label_end = memmem::find(frame.get(BEGIN.len()..BEGIN.len().saturating_add(LABEL).min(frame.len()))?, DASHES)?;
    let label = frame.get(BEGIN.len()..BEGIN.len().saturating_add(label_end))?;
    if !(label.ends_with(b"PRIVATE KEY") || label == b"PGP PRIVATE KEY BLOCK") {
        return None;
    }
    let body_start = BEGIN.len().saturating_add(label_end).saturating_add(DASHES.len());
    let body = frame.get(body_start..)?;
    // the frame ends with the next dashes, and a body cut off is no key
    let body = body.get(..memmem::find(body, DASHES)?)?;
    let after = frame.get(body_start.saturating_add(body.len())..)?;
    if !after.strip_prefix(b"-----END ").is_some_and(|rest| rest.starts_with(label)) {
        return None;
    }
    let end = start.start.saturating_add(body_start).saturating_add(body.len());
    let body = Body::of(body);
    let (kind, is_encrypted) = body.kind(label).or_else(|| body.unread(text, label))?;
    // a service account's key file is said as what it is
    let is_account = kind == Kind::Pkcs8Key && memmem::find(near(text, start.start), b"\"service_account\"").is_some();
    let kind = if is_account { Kind::GcpServiceAccount } else { kind };
    Some(Hit { kind, range: start.start..end, is_encrypted })
}

/// Some bytes before a key.
fn near(text: &[u8], at: usize) -> &[u8] {
    text.get(at.saturating_sub(512)..at).unwrap_or_default()
}

/// What stands in a frame.
struct Body {
    /// Base64 without the white space between.
    base64: Vec<u8>,
    /// It decodes to this.
    bytes: Option<Vec<u8>>,
    /// A header says that it is encrypted (RFC 1421 4.6.1.1).
    is_encrypted: bool,
}

impl Body {
    fn of(body: &[u8]) -> Self {
        let mut base64 = Vec::with_capacity(body.len());
        let mut is_encrypted = false;
        for line in lines(body) {
            let line = line.trim_ascii();
            if line.contains(&b':') {
                is_encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            } else if !(line.starts_with(b"=") && line.len() == 5) {
                // a line of `=` and four characters is PGP's checksum
                base64.extend_from_slice(line);
            }
        }
        let bytes = BASE64.decode(&base64).ok();
        Self { base64, bytes, is_encrypted }
    }

    /// The key's form, by its bytes, and whether it is encrypted.
    fn kind(&self, label: &[u8]) -> Option<(Kind, bool)> {
        let bytes = self.bytes.as_deref().filter(|bytes| bytes.len() >= LEAST_BYTES)?;
        match label {
            b"OPENSSH PRIVATE KEY" => {
                let cipher = bytes.strip_prefix(b"openssh-key-v1\0")?;
                return Some((Kind::OpenSshKey, !cipher.starts_with(b"\0\0\0\x04none")));
            }
            // packet tag 5, in the old and in the new form
            b"PGP PRIVATE KEY BLOCK" => {
                return bytes.first().filter(|tag| matches!(tag, 0x94..=0x97 | 0xC5)).map(|_| (Kind::PgpKey, false));
            }
            _ => {}
        }
        let kind = match label {
            b"RSA PRIVATE KEY" => Kind::RsaKey,
            b"EC PRIVATE KEY" => Kind::EcKey,
            b"DSA PRIVATE KEY" => Kind::DsaKey,
            b"PRIVATE KEY" | b"ENCRYPTED PRIVATE KEY" => Kind::Pkcs8Key,
            _ => return None,
        };
        if self.is_encrypted {
            // ciphertext of a block cipher
            return bytes.len().is_multiple_of(8).then_some((kind, true));
        }
        let inside = sequence(bytes)?;
        let is_encrypted = label.starts_with(b"ENCRYPTED");
        // a version, or the algorithm of the encryption
        let is_key = if is_encrypted { inside.starts_with(&[0x30]) } else { inside.starts_with(&[0x02, 0x01]) };
        is_key.then_some((kind, is_encrypted))
    }

    /// A body that is none of the forms is a key all the same when the file holds nothing else and it looks like one.
    fn unread(&self, text: &[u8], label: &[u8]) -> Option<(Kind, bool)> {
        let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
        let is_whole_file = text.trim_ascii_start().starts_with(BEGIN);
        let is_key = self.base64.len() >= UNREAD && self.base64.iter().all(is_base64) && entropy(&self.base64) > 3.5;
        (is_whole_file && is_key).then(|| (Kind::UnreadKey, self.is_encrypted || label.starts_with(b"ENCRYPTED")))
    }
}

/// Lines, also those of a string literal with `\n` in it.
fn lines(body: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    for line in body.split(|byte| *byte == b'\n') {
        let mut rest = line;
        while let Some(at) = memmem::find(rest, b"\\n") {
            lines.push(rest.get(..at).unwrap_or_default().strip_suffix(b"\\r").unwrap_or(rest.get(..at).unwrap_or_default()));
            rest = rest.get(at.saturating_add(2)..).unwrap_or_default();
        }
        lines.push(rest);
    }
    lines
}

/// What a DER sequence holds, when it is as long as the bytes (X.690 8.1.3).
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    let (&first, rest) = bytes.strip_prefix(&[0x30])?.split_first()?;
    let (length, inside) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81 => rest.split_first().map(|(length, rest)| (usize::from(*length), rest))?,
        0x82 => rest.split_first_chunk::<2>().map(|(length, rest)| (usize::from(u16::from_be_bytes(*length)), rest))?,
        _ => return None,
    };
    (inside.len() == length).then_some(inside)
}

/// Finds keys in a text that passes by in pieces, for files too large for the other formats. Pieces may end anywhere.
#[derive(Debug, Default)]
pub struct Keys {
    /// What is still to be looked at: at most a window.
    window: Vec<u8>,
    /// The line that the window begins on.
    line: u32,
    secrets: Secrets,
}

impl Keys {
    /// Bytes that are looked at together.
    const WINDOW: usize = 4 * MOST_BYTES;

    /// A text begins.
    pub fn start(&mut self) {
        self.window.clear();
        self.line = 1;
        self.secrets = Secrets::default();
    }

    /// Its next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let room = Self::WINDOW.saturating_sub(self.window.len()).min(rest.len());
            let (now, later) = rest.split_at_checked(room).unwrap_or((rest, &[]));
            self.window.extend_from_slice(now);
            rest = later;
            if self.window.len() >= Self::WINDOW {
                self.look(false);
            }
        }
    }

    /// The keys that were found.
    pub fn finish(&mut self) -> Secrets {
        self.look(true);
        std::mem::take(&mut self.secrets)
    }

    /// Looks at the window, and keeps of it what may be the beginning of a key.
    fn look(&mut self, is_end: bool) {
        let mut lines = Lines::new(&self.window);
        let mut at = 0_usize;
        // of a frame that is not whole yet, or of its first dashes
        let mut keep = self.window.len().saturating_sub(if is_end { 0 } else { BEGIN.len().saturating_sub(1) });
        for begin in memmem::find_iter(&self.window, BEGIN) {
            if begin < at {
                continue;
            }
            if !is_end && self.window.len().saturating_sub(begin) < MOST_BYTES {
                keep = keep.min(begin);
                break;
            }
            if let Some(hit) =
                key(&self.window, begin..begin.saturating_add(BEGIN.len())).filter(|hit| hit.kind != Kind::UnreadKey)
            {
                at = hit.range.end;
                let line = self.line.saturating_add(lines.of(hit.range.start)).saturating_sub(1);
                let secret = Secret::new(hit.kind, line, self.window.get(hit.range).unwrap_or_default());
                self.secrets.push(Secret { is_encrypted: hit.is_encrypted, ..secret });
            }
        }
        let keep = keep.max(at);
        self.line = self.line.saturating_add(lines.of(keep)).saturating_sub(1);
        self.window.drain(..keep.min(self.window.len()));
    }
}
