//! What the merge says besides its trees.

use std::collections::BTreeMap;

use super::Error;
use crate::oci::{Code, Place, Remark};

/// Remarks of one code that are kept of a layer; further ones are counted in one last remark.
const REMARKS_PER_CODE: u64 = 1_000;

/// Remarks and errors, bounded however odd the layers are.
#[derive(Debug, Default)]
pub(super) struct Sayings {
    remarks: Vec<Remark>,
    counts: BTreeMap<(usize, Code), u64>,
    pub(super) errors: Vec<Error>,
}

impl Sayings {
    pub(super) fn remark(&mut self, code: Code, layer: usize, path: &[u8], detail: &str) {
        let count = self.counts.entry((layer, code)).or_default();
        *count = count.saturating_add(1);
        if *count <= REMARKS_PER_CODE {
            self.remarks.push(Remark { code, place: Place::path(path).in_layer(layer), detail: detail.to_owned() });
        }
    }

    pub(super) fn refuse(&mut self, code: Code, layer: usize, path: &[u8], detail: &str) {
        self.errors.push(Error::Entry { code, layer, path: path.to_vec(), detail: detail.to_owned() });
    }

    /// All remarks, sorted by layer and path; what both trees saw is said once.
    pub(super) fn into_parts(mut self) -> (Vec<Remark>, Vec<Error>) {
        for ((layer, code), count) in self.counts {
            let more = count.saturating_sub(REMARKS_PER_CODE);
            if more > 0 {
                let detail = format!("and {more} more in this layer");
                self.remarks.push(Remark { code, place: Place::default().in_layer(layer), detail });
            }
        }
        self.remarks.sort_by(|one, other| (&one.place, one.code, &one.detail).cmp(&(&other.place, other.code, &other.detail)));
        self.remarks.dedup();
        (self.remarks, self.errors)
    }
}
