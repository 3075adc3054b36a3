//! Numbers as people read them: bytes in IEC units, counts with separators.

/// `bytes` in the largest IEC unit that leaves at least 1, with one decimal: `512 B`, `1.5 KiB`, `182.4 MiB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut unit = 1u128;
    let mut shown = String::new();
    for name in UNITS {
        unit = unit.saturating_mul(1024);
        let tenths = u128::from(bytes).saturating_mul(10).saturating_add(unit / 2) / unit;
        shown = format!("{}.{} {name}", tenths / 10, tenths % 10);
        if tenths < 10_240 {
            break;
        }
    }
    shown
}

/// `count` with a comma between groups of three digits.
#[must_use]
pub fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut shown = String::with_capacity(digits.len().saturating_mul(2));
    for (index, digit) in digits.chars().enumerate() {
        let behind = digits.len().saturating_sub(index);
        if index > 0 && behind.is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// `1 layer`, `6 layers`; for nouns that take an `s`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(u64::try_from(number).unwrap_or(u64::MAX)))
}

/// Bytes in an argument: digits, and `KiB`, `MiB`, `GiB` or `TiB` where wanted. None when it is no such number.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let unit = match text.strip_prefix(digits)? {
        "" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1u64 << 40,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_in_the_unit_that_leaves_the_fewest_digits() {
        for (number, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1.0 MiB"),
            (191_260_672, "182.4 MiB"),
            (u64::MAX, "16.0 EiB"),
        ] {
            assert_eq!(bytes(number), shown);
        }
    }

    #[test]
    fn counts_are_grouped_by_three() {
        assert_eq!([count(7), count(999), count(1000), count(1_234_567)], ["7", "999", "1,000", "1,234,567"]);
        assert_eq!([counted(1, "layer"), counted(0, "layer")], ["1 layer", "0 layers"]);
    }

    #[test]
    fn a_number_with_an_iec_unit_is_read() {
        assert_eq!(parse("512"), Some(512));
        assert_eq!(parse("64GiB"), Some(64 << 30));
        for bad in ["", "GiB", "1GB", "1.5GiB", "-1", "18446744073709551615KiB", "0x10", "1 "] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
