//! When a certificate ends: one field of X.509 (RFC 5280, 4.1), read without a parser for all the others.

/// ASN.1 tags.
const SEQUENCE: u8 = 0x30;
const EXPLICIT_0: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Seconds since 1970 of `notAfter`; None when the certificate is not of the form that it should have.
pub(super) fn not_after(der: &[u8]) -> Option<i64> {
    let (_, certificate, _) = element(der).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, mut rest, _) = element(certificate).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (tag, _, behind) = element(rest)?;
    // the version is left out of certificates of version 1
    if tag == EXPLICIT_0 {
        rest = behind;
    }
    // serialNumber, signature, issuer
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (_, validity, _) = element(rest).filter(|(tag, ..)| *tag == SEQUENCE)?;
    let (_, _, behind) = element(validity)?;
    let (tag, time, _) = element(behind)?;
    seconds(tag, std::str::from_utf8(time).ok()?)
}

/// Tag, content, and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let count = usize::from(first & 0x7f);
        let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        let length =
            digits.iter().try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((*tag, content, rest))
}

fn seconds(tag: u8, text: &str) -> Option<i64> {
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    let (year, rest) = match tag {
        // two digits: 1950 to 2049
        UTC_TIME => {
            let year: i64 = digits.get(..2)?.parse().ok()?;
            (year.checked_add(if year < 50 { 2000 } else { 1900 })?, digits.get(2..)?)
        }
        GENERALIZED_TIME => (digits.get(..4)?.parse().ok()?, digits.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at.checked_add(2)?)?.parse::<i64>().ok();
    let (month, day, hour, minute, second) = (part(0)?, part(2)?, part(4)?, part(6)?, part(8)?);
    let days = days(year, month, day)?;
    [hour, minute, second]
        .iter()
        .zip([3600, 60, 1])
        .try_fold(days.checked_mul(86_400)?, |sum, (number, weight)| sum.checked_add(number.checked_mul(weight)?))
}

/// Days since 1970-01-01, for years from 1950.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let before = BEFORE.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    // leap days before this year's end of February
    let last = if month > 2 { year } else { year.checked_sub(1)? };
    let leaps = |year: i64| year.checked_div(4)?.checked_sub(year.checked_div(100)?)?.checked_add(year.checked_div(400)?);
    let whole = year.checked_sub(1970)?.checked_mul(365)?;
    whole.checked_add(leaps(last)?)?.checked_sub(leaps(1969)?)?.checked_add(*before)?.checked_add(day.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_time_are_read() {
        assert_eq!(seconds(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(seconds(UTC_TIME, "261121062442Z"), Some(1_795_242_282));
        assert_eq!(seconds(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        assert_eq!(seconds(UTC_TIME, "240229235959Z"), Some(1_709_251_199));
        assert_eq!(seconds(UTC_TIME, "240301000000Z"), Some(1_709_251_200));
        for bad in ["", "Z", "7001010000Z", "700101000000", "70010100000éZ", "701301000000Z", "700001000000Z"] {
            assert_eq!(seconds(UTC_TIME, bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = not_after(&bytes);
        }
    }
}
