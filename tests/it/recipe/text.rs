//! The two escapes of recipe strings: `\xNN` for any byte, and `{text*COUNT}` for repeated text.

/// The bytes that a recipe string stands for.
pub(crate) fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some((byte, after)) = escape(rest) {
            out.push(byte);
            rest = after;
        } else if let Some((repeated, after)) = repetition(rest) {
            out.extend_from_slice(&repeated);
            rest = after;
        } else {
            let end = rest.chars().next().map_or(1, char::len_utf8);
            out.extend_from_slice(&rest.as_bytes()[..end]);
            rest = &rest[end..];
        }
    }
    out
}

fn escape(text: &str) -> Option<(u8, &str)> {
    let digits = text.strip_prefix("\\x")?.get(..2)?;
    Some((u8::from_str_radix(digits, 16).ok()?, &text[4..]))
}

fn repetition(text: &str) -> Option<(Vec<u8>, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    let (unit, count) = inside.rsplit_once('*')?;
    Some((bytes(unit).repeat(count.parse().ok()?), after))
}

#[test]
fn escapes_and_repetitions_are_expanded_and_all_else_is_kept() {
    assert_eq!(bytes(r"caf\xe9 {ab*2}{x} {\x00*3}"), b"caf\xe9 abab{x} \0\0\0");
}
