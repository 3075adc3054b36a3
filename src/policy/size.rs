//! Sizes as policy files write them: `"500 MiB"`, or a number of bytes.

/// Reads a whole number, with `KiB`, `MiB`, `GiB` or `TiB` where wanted, a space between or not. None when it is no such number.
pub(super) fn parse(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|character: char| !character.is_ascii_digit());
    let rest = text.strip_prefix(digits)?;
    let unit = match rest.strip_prefix(' ').filter(|unit| !unit.is_empty()).unwrap_or(rest) {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1u64 << 40,
        _ => return None,
    };
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse::<u64>().ok()?.checked_mul(unit)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_with_an_iec_unit_is_a_size() {
        for (text, bytes) in
            [("0", 0), ("512", 512), ("512 B", 512), ("500 MiB", 500 << 20), ("64GiB", 64 << 30), ("1 TiB", 1 << 40)]
        {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for bad in
            ["", "MiB", " ", "1 ", "1  MiB", "500 MB", "1.5 GiB", "-1", "+1", "0x10", "1 mib", "18446744073709551615 KiB", "1é"]
        {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
