//! The map of the final filesystem, from what was counted to what is published.

use crate::facts::Image;
use crate::oci::escape;
use crate::report::model as out;
use crate::score::{Ballast, FilesystemPart};

pub(super) fn filesystem(image: &Image, ballast: &Ballast) -> out::FilesystemReport {
    let part = |part: FilesystemPart| out::FilesystemPart {
        path: escape(&part.path),
        class: part.class.as_str().to_owned(),
        layer: part.layer,
        bytes: part.bytes,
        files: part.files,
    };
    out::FilesystemReport { bytes: ballast.final_bytes(), parts: ballast.parts(image).into_iter().map(part).collect() }
}
