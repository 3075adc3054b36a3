//! The times of history lines, as far as the gaps between them need them.

use crate::oci::History;

/// What lies between two lines of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    /// The later line has no true time, or that of an earlier moment.
    Unknown,
    /// Seconds.
    Seconds(i64),
    /// From a line whose time was taken out, as reproducible builders do, to one that has its own.
    FromNoTime,
}

/// The gap before every line; before the first there is none.
pub(super) fn gaps(history: &[History]) -> Vec<Gap> {
    let times: Vec<Option<i64>> = history.iter().map(|entry| seconds(&entry.created)).collect();
    let before = std::iter::once(None).chain(times.iter().copied());
    let gap = |(index, (before, now)): (usize, (Option<i64>, &Option<i64>))| match (before, *now) {
        (Some(before), Some(now)) if now >= before => Gap::Seconds(now.saturating_sub(before)),
        (None, Some(_)) if index > 0 => Gap::FromNoTime,
        _ => Gap::Unknown,
    };
    before.zip(&times).enumerate().map(gap).collect()
}

/// Seconds since the start of 1970. None for what is no RFC 3339 time, and for the times that stand for none: reproducible
/// builders write the year 1, 1970 or 1980.
fn seconds(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| {
        let digits = text.get(from..to).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        digits.parse::<i64>().ok()
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if year <= 1980 || !(1..=12).contains(&month) {
        return None;
    }
    let offset = text.get(19..)?.trim_start_matches(|character: char| character == '.' || character.is_ascii_digit());
    let offset = match offset.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign @ ("+" | "-"), rest) => {
            let (hours, minutes) = rest.split_once(':')?;
            let minutes = hours.parse::<i32>().ok()?.saturating_mul(60).saturating_add(minutes.parse::<i32>().ok()?);
            i64::from(minutes).saturating_mul(if sign == "+" { 60 } else { -60 })
        }
        _ => return None,
    };
    let days = days(year, month, day);
    let whole = days.saturating_mul(24).saturating_add(hour).saturating_mul(60).saturating_add(minute).saturating_mul(60);
    Some(whole.saturating_add(second).saturating_sub(offset))
}

/// Days since the start of 1970, in the Gregorian calendar; the year starts in March, so that the leap day is its last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month) } else { (year.saturating_sub(1), month.saturating_add(12)) };
    let leap_days = (year / 4).saturating_sub(year / 100).saturating_add(year / 400);
    let days_of_months = month.saturating_add(1).saturating_mul(306) / 10;
    let days = year.saturating_mul(365).saturating_add(leap_days).saturating_add(days_of_months).saturating_add(day);
    days.saturating_sub(719_591)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_since_1970() {
        for (text, expected) in [
            ("2026-11-20T23:54:37.123456789Z", Some(1_795_218_877)),
            ("2000-02-29T00:00:00Z", Some(951_782_400)),
            ("2000-03-01T00:00:00Z", Some(951_868_800)),
            ("2024-01-01T02:00:00+02:00", Some(1_704_067_200)),
            ("2023-12-31T22:30:00-01:30", Some(1_704_067_200)),
            ("0001-01-01T00:00:00Z", None),
            ("1970-01-01T00:00:00Z", None),
            ("1980-01-01T00:00:00Z", None),
            ("2024-13-01T00:00:00Z", None),
            ("2024-01-01T00:00:00", None),
            ("2024-01-01T00:00:00 CET", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn a_gap_needs_two_times_in_order() {
        let of = |created: &str| History { created: created.to_owned(), ..History::default() };
        let [none, early, late] = ["0001-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "2024-01-01T00:01:40Z"].map(of);
        let history = [none.clone(), early.clone(), late, early, none];
        assert_eq!(gaps(&history), [Gap::Unknown, Gap::FromNoTime, Gap::Seconds(100), Gap::Unknown, Gap::Unknown]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_odd(text: String, digits in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}.{0,12}") {
            let _ = (seconds(&text), seconds(&digits));
        }
    }
}
