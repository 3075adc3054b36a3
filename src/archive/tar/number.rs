//! Numbers in header fields: octal text or base-256, with the bounds of Go's reader.

/// Octal text or, when the top bit of the first byte is set, a two's complement big-endian number that fits 64 bits.
pub(super) fn numeric(field: &[u8]) -> Option<i64> {
    match field.split_first() {
        Some((first, rest)) if first & 0x80 != 0 => base256(*first, rest),
        _ => octal(field),
    }
}

/// Octal text between spaces and NULs, cut at an inner NUL; an empty field is 0.
pub(super) fn octal(field: &[u8]) -> Option<i64> {
    let start = field.iter().position(|b| !is_filler(*b)).unwrap_or(field.len());
    let end = field.iter().rposition(|b| !is_filler(*b)).map_or(start, |last| last.saturating_add(1));
    let digits = until_nul(field.get(start..end).unwrap_or_default());
    digits.iter().try_fold(0_i64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(i64::from(digit.wrapping_sub(b'0'))),
        _ => None,
    })
}

/// A decimal integer with an optional sign, as in PAX records.
pub(super) fn decimal(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The bytes before the first NUL.
pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|b| *b == 0).next().unwrap_or_default()
}

fn is_filler(byte: u8) -> bool {
    matches!(byte, b' ' | 0)
}

fn base256(first: u8, rest: &[u8]) -> Option<i64> {
    let mask = if first & 0x40 == 0 { 0 } else { 0xff };
    let head = u64::from((first ^ mask) & 0x7f);
    let magnitude = rest.iter().try_fold(head, |value, byte| {
        let shifted = value.checked_mul(256)?;
        Some(shifted | u64::from(byte ^ mask))
    })?;
    let value = i64::try_from(magnitude).ok()?;
    Some(if mask == 0 { value } else { !value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_is_trimmed_of_spaces_and_nuls_on_both_sides() {
        assert_eq!(octal(b"0000644\0"), Some(0o644));
        assert_eq!(octal(b"   644 \0"), Some(0o644));
        assert_eq!(octal(b"\0\0 644\0 "), Some(0o644));
        assert_eq!(octal(b"\0\0\0\0"), Some(0));
        assert_eq!(octal(b"       "), Some(0));
        assert_eq!(octal(b""), Some(0));
    }

    #[test]
    fn octal_stops_at_an_inner_nul_and_refuses_what_is_no_digit() {
        assert_eq!(octal(b"12\x0034"), Some(0o12));
        assert_eq!(octal(b"12 \x0034"), None);
        for bad in [b"0x12".as_slice(), b"+12", b"-1", b"8", b"1 2", b"1_2"] {
            assert_eq!(octal(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn base256_is_signed_and_bounded() {
        assert_eq!(numeric(b"\x80\0\0\0\0\0\0\x01"), Some(1));
        assert_eq!(numeric(&[0xff; 12]), Some(-1));
        assert_eq!(numeric(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"), Some(i64::MAX));
        assert_eq!(numeric(b"\x80\0\0\0\x80\0\0\0\0\0\0\0"), None);
        assert_eq!(numeric(b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0"), Some(i64::MIN));
        assert_eq!(numeric(b"\xff\xff\xff\xfe\x80\0\0\0\0\0\0\0"), None);
    }

    #[test]
    fn decimals_may_carry_a_sign_and_nothing_else() {
        assert_eq!(decimal(b"+7"), Some(7));
        assert_eq!(decimal(b"-7"), Some(-7));
        for bad in [b"".as_slice(), b" 7", b"7 ", b"0x7", b"9223372036854775808", b"7_0"] {
            assert_eq!(decimal(bad), None, "{bad:?}");
        }
    }
}
