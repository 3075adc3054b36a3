//! Alphabets, words' edges, checksums, and whether a value can be a real one.

use super::Span;

/// Which bytes a token is made of.
pub(super) type Set = fn(u8) -> bool;

pub(super) fn alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

/// `base64url`, which most tokens are written in.
pub(super) fn url_safe(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

pub(super) fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

pub(super) fn lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

pub(super) fn upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// The bytes of a set from `at` on, at most `most` and one more.
pub(super) fn run(text: &[u8], at: usize, set: Set, most: usize) -> Span {
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.iter().take(most.saturating_add(1)).take_while(|byte| set(**byte)).count();
    at..at.saturating_add(length)
}

/// Whether a token may begin at `at`: what stands before it is no part of a longer word.
pub(super) fn is_start(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| text.get(before)).copied();
    // `\n` and the like of a string literal are no part of a word
    let is_escape = || at.checked_sub(2).and_then(|before| text.get(before)) == Some(&b'\\');
    before.is_none_or(|byte| !url_safe(byte) || (matches!(byte, b'n' | b'r' | b't') && is_escape()))
}

/// Whether a value can be a real one: it has many different characters, and nothing of what examples are made of.
pub(super) fn is_plausible(value: &[u8]) -> bool {
    const SAMPLES: [&[u8]; 9] = [
        b"example",
        b"xxxx",
        b"abcdefgh",
        b"12345678",
        b"deadbeefdeadbeef",
        b"placeholder",
        b"redacted",
        b"changeme",
        b"yourtoken",
    ];
    let mut seen = [false; 256];
    for byte in value {
        if let Some(slot) = seen.get_mut(usize::from(*byte)) {
            *slot = true;
        }
    }
    let distinct = seen.iter().filter(|seen| **seen).count();
    let lower = value.to_ascii_lowercase();
    // sixteen digits of hex show about ten of them in 32
    let enough = if value.len() < 20 { 6 } else { 9 };
    distinct >= enough && !SAMPLES.iter().any(|sample| memchr::memmem::find(&lower, sample).is_some())
}

/// Bits of entropy of each byte, by the frequencies in the value itself.
pub(super) fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in value {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count = count.saturating_add(1);
        }
    }
    let all = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / all).map(|share| -share * share.log2()).sum()
}

/// CRC-32 as in zlib (ISO 3309).
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// A number in base 62, six digits: 0-9, A-Z, a-z.
pub(super) fn base62(number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut left = number;
    let mut out = [b'0'; 6];
    for slot in out.iter_mut().rev() {
        let digit = usize::try_from(left % 62).unwrap_or_default();
        *slot = DIGITS.get(digit).copied().unwrap_or(b'0');
        left /= 62;
    }
    out
}

/// Whether a token ends in the checksum of what stands before it, as those of GitHub and npm do ("Behind GitHub's new
/// authentication token formats", 2021).
pub(super) fn has_checksum(random: &[u8]) -> bool {
    random.split_last_chunk::<6>().is_some_and(|(payload, checksum)| base62(crc32(payload)) == *checksum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_published_example() {
        // an example of the format that was published after it had been revoked
        assert_eq!(base62(crc32(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ")), *b"0mLq17");
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926, "the check value of the CRC catalogue");
        assert!(has_checksum(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17"));
        assert!(!has_checksum(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18") && !has_checksum(b"abc"));
    }

    #[test]
    fn examples_are_not_plausible() {
        for value in
            [&b"xxxxxxxxxxxxxxxxxxxxxxxxxx"[..], b"aaaaaaaaaaaabbbbbbbbbbbbbbb", b"AKIAIOSFODNN7EXAMPLE", b"1234567890abcdef1234"]
        {
            assert!(!is_plausible(value), "{value:?}");
        }
        assert!(is_plausible(b"zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ"));
        assert!(is_plausible(b"5d41402abc4b2a76b9719d911017c592"));
    }

    #[test]
    fn a_word_that_goes_on_before_is_another_word() {
        assert!(is_start(b"x ghp_", 2) && is_start(b"ghp_", 0) && is_start(b"\"\\nghp_", 3) && is_start(b"=ghp_", 1));
        assert!(!is_start(b"xghp_", 1) && !is_start(b"-ghp_", 1) && !is_start(b"nghp_", 1));
    }

    #[test]
    fn entropy_is_zero_for_one_byte_and_eight_for_all() {
        assert!(entropy(b"aaaa").abs() < 0.001);
        assert!((entropy(&(0..=255).collect::<Vec<u8>>()) - 8.0).abs() < 0.001);
        assert!(entropy(b"").abs() < 0.001);
    }
}
