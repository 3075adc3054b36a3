//! Names from the image, made safe to print: `\xNN` for every byte that is not printable UTF-8, and `\\` for a backslash.

use std::fmt::Write as _;

/// Escapes raw bytes so that the result is printable, on one line, and can be turned back.
#[must_use]
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push(&mut out, character);
        }
        for byte in chunk.invalid() {
            // writing to a String cannot fail
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
    out
}

/// Escapes text, as [`escape`] does for bytes.
#[must_use]
pub fn escape_text(text: &str) -> String {
    escape(text.as_bytes())
}

/// Escapes what is not printable, and leaves backslashes as they are: for text that was escaped already, or ought to be.
/// None when there is nothing to escape.
#[must_use]
pub fn escape_unprintable(text: &str) -> Option<String> {
    if text.chars().all(is_printable) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' => out.push(character),
            _ => push(&mut out, character),
        }
    }
    Some(out)
}

/// Turns back what [`escape`] wrote. None for text that it does not write.
#[must_use]
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut parts = text.split('\\');
    let mut out = parts.next()?.as_bytes().to_vec();
    while let Some(part) = parts.next() {
        if part.is_empty() {
            // a backslash is two: between them is nothing
            out.push(b'\\');
            out.extend_from_slice(parts.next()?.as_bytes());
            continue;
        }
        let (byte, rest) = part.strip_prefix('x')?.split_at_checked(2)?;
        out.push(u8::from_str_radix(byte, 16).ok().filter(|_| byte.bytes().all(|digit| digit.is_ascii_hexdigit()))?);
        out.extend_from_slice(rest.as_bytes());
    }
    Some(out)
}

fn push(out: &mut String, character: char) {
    if character == '\\' {
        out.push_str("\\\\");
    } else if is_printable(character) {
        out.push(character);
    } else {
        let mut buffer = [0; 4];
        for byte in character.encode_utf8(&mut buffer).bytes() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

/// Neither a control character nor one that changes how its neighbours are shown (Unicode categories Cc, Zl, Zp and the
/// format characters of Cf: bidirectional controls, zero-width joiners, tags, byte-order marks).
fn is_printable(character: char) -> bool {
    !character.is_control()
        && !matches!(u32::from(character),
            0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0xE0000..=0xE0FFF | 0xE000..=0xF8FF | 0xF0000..=0x10_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        assert_eq!(escape(b"/tab\tname\x1b[2J"), "/tab\\x09name\\x1b[2J");
        assert_eq!(escape("/a\u{202e}b\u{2028}".as_bytes()), "/a\\xe2\\x80\\xaeb\\xe2\\x80\\xa8");
        assert_eq!(escape(b"/caf\xe9"), "/caf\\xe9");
        assert_eq!(escape(b"/back\\slash"), "/back\\\\slash");
    }

    #[test]
    fn printable_text_of_any_script_is_left_alone() {
        assert_eq!(escape("/utf8-é中 ok".as_bytes()), "/utf8-é中 ok");
    }

    #[test]
    fn text_that_was_escaped_before_stays_as_it_is() {
        assert_eq!(escape_unprintable(&escape(b"/tab\tname\\x")), None);
        assert_eq!(escape_unprintable("a\\x0a\n\u{202e}").unwrap(), "a\\x0a\\x0a\\xe2\\x80\\xae");
    }

    #[test]
    fn what_was_never_escaped_is_not_turned_back() {
        for text in ["\\", "\\y41", "\\x4", "\\x+1", "\\xé1"] {
            assert_eq!(unescape(text), None, "{text}");
        }
        assert_eq!(unescape("/a\\x0ab\\\\c").unwrap(), b"/a\nb\\c");
    }

    proptest::proptest! {
        #[test]
        fn every_escaped_name_is_one_printable_line_and_distinct(a: Vec<u8>, b: Vec<u8>) {
            proptest::prop_assert!(escape(&a).chars().all(is_printable));
            proptest::prop_assert_eq!(a == b, escape(&a) == escape(&b));
            proptest::prop_assert_eq!(unescape(&escape(&a)), Some(a));
        }

        #[test]
        fn no_text_panics_when_it_is_turned_back(text: String) {
            let _ = unescape(&text);
        }
    }
}
