//! The hash of a line that code scanning tells alerts apart by (`primaryLocationLineHash`): the same value as the one that GitHub's
//! upload action computes from the file in the checkout (github/codeql-action, src/fingerprints.ts).
//!
//! A line's hash is that of the first 100 UTF-16 units from its start that are neither a space nor a tab, read as digits of a number
//! to the base 37 modulo 2^64, and how often the same value came before. Ends of lines count as one line feed each; the end of the
//! file is a character of its own, with zeros behind it.

use std::collections::{BTreeMap, VecDeque};

const WINDOW: usize = 100;
const BASE: u64 = 37;
const LINE_FEED: u16 = 10;
const CARRIAGE_RETURN: u16 = 13;
/// JavaScript's -1 as a UTF-16 unit, as the action has it.
const END_OF_FILE: u16 = 0xffff;

/// The hash of every line, the first at 0. Lines end at a line feed, at a carriage return, or at both together.
#[must_use]
pub fn of_lines(text: &[u8]) -> Vec<String> {
    let units = units(text);
    // the window leaves a unit out by what it has become worth: BASE to the power of WINDOW
    let leaving = (0..WINDOW).fold(1_u64, |power, _| power.wrapping_mul(BASE));
    let mut window: VecDeque<u64> = VecDeque::from(vec![0; WINDOW]);
    let mut hash = 0_u64;
    let mut hashes = Vec::new();
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    let mut starts: VecDeque<usize> = VecDeque::new();
    let mut is_start = true;
    // a line's hash is ready when its first unit is about to leave the window
    let padded = units.iter().copied().map(Some).chain(std::iter::repeat_n(None, WINDOW));
    for (at, unit) in padded.enumerate() {
        if starts.front().is_some_and(|start| start.saturating_add(WINDOW) == at) {
            starts.pop_front();
            let count = counts.entry(hash).and_modify(|count| *count = count.saturating_add(1)).or_insert(1);
            hashes.push(format!("{hash:x}:{count}"));
        }
        if let Some(unit) = unit {
            if is_start {
                starts.push_back(at);
            }
            is_start = unit == LINE_FEED;
        }
        let value = u64::from(unit.unwrap_or(0));
        let left = window.pop_front().unwrap_or(0);
        window.push_back(value);
        hash = hash.wrapping_mul(BASE).wrapping_add(value).wrapping_sub(leaving.wrapping_mul(left));
    }
    hashes
}

/// The units that count, and the end.
fn units(text: &[u8]) -> Vec<u16> {
    let mut units = Vec::with_capacity(text.len());
    let mut after_return = false;
    for unit in String::from_utf8_lossy(text).encode_utf16() {
        let is_second_half = after_return && unit == LINE_FEED;
        let is_blank = unit == u16::from(b' ') || unit == u16::from(b'\t');
        after_return = unit == CARRIAGE_RETURN;
        if !is_blank && !is_second_half {
            units.push(if unit == CARRIAGE_RETURN { LINE_FEED } else { unit });
        }
    }
    units.push(END_OF_FILE);
    units
}

#[cfg(test)]
#[path = "line_hash_tests.rs"]
mod tests;
