//! What code scanning takes of a document, and how much is written so that it does.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::log::Log;

/// Runs of a document.
pub(super) const RUNS: usize = 20;
/// Results of a run.
pub(super) const RESULTS: usize = 25_000;
/// Bytes of a document in gzip: 10 MB, less what another compressor may need more.
const COMPRESSED: u64 = 9_500_000;

/// How much of everything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Amount {
    /// Results of a run.
    pub(super) results: usize,
    /// Places in the properties of a result.
    pub(super) places: usize,
}

impl Amount {
    /// Whether nothing smaller can be tried.
    pub(super) fn is_least(self) -> bool {
        LESS.last() == Some(&self)
    }
}

/// What is tried when a document is too large: fewer places first, since the report has them all, then fewer results.
const LESS: [Amount; 7] = [
    Amount { results: RESULTS, places: 1000 },
    Amount { results: RESULTS, places: 50 },
    Amount { results: RESULTS, places: 5 },
    Amount { results: 10_000, places: 5 },
    Amount { results: 2_000, places: 5 },
    Amount { results: 400, places: 1 },
    Amount { results: 20, places: 1 },
];

/// Everything, then less and less.
pub(super) fn amounts() -> impl Iterator<Item = Amount> {
    std::iter::once(Amount { results: RESULTS, places: usize::MAX }).chain(LESS)
}

/// Whether code scanning takes the document.
pub(super) fn fits(log: &Log<'_>) -> io::Result<bool> {
    let mut gzip = GzEncoder::new(Counted(0), Compression::default());
    let written = serde_json::to_writer_pretty(&mut gzip, log).map_err(io::Error::from);
    match written.and_then(|()| gzip.finish()) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes bytes until there are too many.
#[derive(Debug)]
struct Counted(u64);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if self.0 > COMPRESSED { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Keeps the `most` worst items in their order; the weights of those left out are returned.
pub(super) fn keep_worst<T: Copy, W: Ord + Copy>(items: &mut Vec<T>, most: usize, weight: impl Fn(T) -> W) -> Vec<W> {
    let mut order: Vec<(W, usize)> = items.iter().enumerate().map(|(index, item)| (weight(*item), index)).collect();
    // heaviest first, and the first ones of equal weight
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let left_out = order.split_off(order.len().min(most));
    let gone: std::collections::BTreeSet<usize> = left_out.iter().map(|(_, index)| *index).collect();
    let mut index = 0usize..;
    items.retain(|_| index.next().is_some_and(|index| !gone.contains(&index)));
    left_out.into_iter().map(|(weight, _)| weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_are_kept_in_their_order() {
        let mut items = vec![1, 3, 2, 3, 1];
        assert_eq!(keep_worst(&mut items, 3, |item| item), [1, 1]);
        assert_eq!(items, [3, 2, 3]);
        assert!(keep_worst(&mut items, 3, |item| item).is_empty());
    }

    #[test]
    fn every_amount_is_less_than_the_one_before() {
        let all: Vec<Amount> = amounts().collect();
        assert!(all.windows(2).all(|pair| pair[1].results <= pair[0].results && pair[1].places <= pair[0].places));
        assert!(all.last().is_some_and(|least| least.is_least()) && !all[0].is_least());
    }
}
