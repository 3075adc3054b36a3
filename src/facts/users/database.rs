//! Lines and numbers of passwd(5) and group(5), as lenient as the runtimes' own parser.

use super::UserProblem;

/// What a user or group of `config.User` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    /// A number in range; numbers are never looked up as names.
    Number(u32),
    /// A number outside 0 to 2^31-1.
    OutOfRange,
    /// Not a number, or empty.
    Name,
}

impl Id {
    /// The largest id that runtimes take, for the sake of 32-bit systems.
    pub(super) const LARGEST: u32 = i32::MAX.unsigned_abs();

    pub(super) fn parse(text: &[u8]) -> Self {
        match atoi(text) {
            Err(Malformed) => Self::Name,
            Ok(number) => match u32::try_from(number) {
                Ok(id) if id <= Self::LARGEST => Self::Number(id),
                _ => Self::OutOfRange,
            },
        }
    }

    pub(super) fn number_of(self, text: &str) -> Result<(), UserProblem> {
        match self {
            Self::OutOfRange => Err(UserProblem::OutOfRange(text.to_owned())),
            Self::Number(_) | Self::Name => Ok(()),
        }
    }
}

/// No decimal number.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A decimal number as Go's `strconv.Atoi` reads it on 64 bits: one optional sign, digits, nothing else. Numbers that do
/// not fit become the nearest one that does; what follows the digit that overflows is not looked at.
pub(super) fn atoi(text: &[u8]) -> Result<i64, Malformed> {
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() {
        return Err(Malformed);
    }
    let nearest = if is_negative { i64::MIN } else { i64::MAX };
    let mut magnitude = 0_u64;
    for byte in digits {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit <= 9).ok_or(Malformed)?;
        let Some(next) = magnitude.checked_mul(10).and_then(|tens| tens.checked_add(u64::from(digit))) else {
            return Ok(nearest);
        };
        magnitude = next;
    }
    let number = if is_negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    Ok(number.unwrap_or(nearest))
}

/// One line of passwd or group.
#[derive(Debug, Clone, Copy)]
pub(in crate::facts) struct Line<'a> {
    raw: &'a [u8],
    trimmed: &'a [u8],
}

/// The lines of a file.
pub(in crate::facts) fn lines(file: &[u8]) -> impl Iterator<Item = Line<'_>> {
    file.split(|byte| *byte == b'\n').map(|raw| Line { raw, trimmed: trim(raw) })
}

impl<'a> Line<'a> {
    /// Whether a line reader whose buffer holds `bytes` gives up here.
    pub(super) fn is_too_long(&self, bytes: usize) -> bool {
        self.raw.len() >= bytes
    }

    pub(super) fn is_blank(&self) -> bool {
        self.trimmed.is_empty()
    }

    pub(super) fn is_comment(&self) -> bool {
        self.trimmed.starts_with(b"#")
    }

    /// Whether there are so many fields.
    pub(in crate::facts) fn has(&self, fields: usize) -> bool {
        self.trimmed.split(|byte| *byte == b':').nth(fields.saturating_sub(1)).is_some()
    }

    /// The field at `index`, empty when the line is too short.
    pub(in crate::facts) fn text(&self, index: usize) -> &'a [u8] {
        self.trimmed.split(|byte| *byte == b':').nth(index).unwrap_or_default()
    }

    /// The number at `index`; 0 when it is missing or no number.
    pub(super) fn id(&self, index: usize) -> i64 {
        atoi(self.text(index)).unwrap_or(0)
    }

    /// The members of a group.
    pub(super) fn members(&self) -> impl Iterator<Item = &'a [u8]> {
        self.text(3).split(|byte| *byte == b',')
    }
}

/// Takes white space off both ends, Unicode's included, as `bytes.TrimSpace` does.
fn trim(line: &[u8]) -> &[u8] {
    let valid = |mut chunks: std::str::Utf8Chunks<'_>| chunks.next().map_or(0, |chunk| spaces(chunk.valid().chars()));
    let start = line.get(valid(line.utf8_chunks())..).unwrap_or_default();
    let last = start.utf8_chunks().last().filter(|chunk| chunk.invalid().is_empty());
    let trailing = last.map_or(0, |chunk| spaces(chunk.valid().chars().rev()));
    start.get(..start.len().saturating_sub(trailing)).unwrap_or_default()
}

fn spaces(characters: impl Iterator<Item = char>) -> usize {
    characters.take_while(|character| character.is_whitespace()).map(char::len_utf8).sum()
}
