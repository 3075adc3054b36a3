//! A day, as waivers, baselines and releases write it: `2026-11-21`.

use std::fmt;

use serde::Serialize;

/// A day of the Gregorian calendar; the order is the order of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Date {
    year: u16,
    month: u8,
    day: u8,
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl Default for Date {
    /// The last day of all: who does not say what day it is finds every waiver expired.
    fn default() -> Self {
        Self { year: 9999, month: 12, day: 31 }
    }
}

impl Date {
    /// Reads `YYYY-MM-DD`; None when there is no such day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let has_form = bytes.len() == 10 && bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
        let number = |range| text.get(range).filter(|part: &&str| part.bytes().all(|byte| byte.is_ascii_digit()));
        let (year, month, day) = (number(0..4)?.parse().ok()?, number(5..7)?.parse().ok()?, number(8..10)?.parse().ok()?);
        (has_form && (1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day)).then_some(Self { year, month, day })
    }

    /// The day of a time in seconds since 1970-01-01 00:00 UTC, up to the year 9999.
    #[must_use]
    pub fn of_unix_seconds(seconds: u64) -> Self {
        let mut days = seconds / 86_400;
        let (mut year, mut month) = (1970_u16, 1_u8);
        while year < 9999 && days >= if is_leap(year) { 366 } else { 365 } {
            days = days.saturating_sub(if is_leap(year) { 366 } else { 365 });
            year = year.saturating_add(1);
        }
        while month < 12 && days >= u64::from(days_of(year, month)) {
            days = days.saturating_sub(u64::from(days_of(year, month)));
            month = month.saturating_add(1);
        }
        let day = u8::try_from(days.saturating_add(1)).unwrap_or(31).min(days_of(year, month));
        Self { year, month, day }
    }
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400)
}

fn days_of(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_that_exist_are_read() {
        for day in ["2026-11-21", "2024-02-29", "2000-02-29", "0001-01-01"] {
            assert_eq!(Date::parse(day).unwrap().to_string(), day);
        }
        for text in [
            "2026-2-01",
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-01-32",
            "2026/01/01",
            "",
            "+026-01-01",
            "2026-01-0é",
        ] {
            assert_eq!(Date::parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_become_days() {
        for (seconds, day) in
            [(0, "1970-01-01"), (951_782_399, "2000-02-28"), (951_782_400, "2000-02-29"), (1_795_219_200, "2026-11-21")]
        {
            assert_eq!(Date::of_unix_seconds(seconds).to_string(), day);
        }
        assert_eq!(Date::of_unix_seconds(u64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn days_are_ordered() {
        assert!(Date::parse("2026-11-21") < Date::parse("2026-12-01"));
    }
}
