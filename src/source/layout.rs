//! An OCI layout folder (image-spec image-layout.md). Nothing of the image names a file here but a checked digest.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use super::members::{Found, Members};
use super::{BlobId, Error};
use crate::oci::Digest;

/// A layout folder of the user's.
#[derive(Debug)]
pub(super) struct LayoutFolder {
    root: PathBuf,
}

impl LayoutFolder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root }
    }

    fn open_regular(&self, name: &str) -> Result<Option<(File, u64)>, Error> {
        let io = |cause| Error::Io { what: name.to_owned(), cause };
        let path = self.root.join(name);
        // looked at before it is opened, since opening a fifo waits for a writer; the user's links are followed
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io(error)),
            Ok(metadata) if !metadata.is_file() => return Err(io(std::io::Error::other("it is no regular file"))),
            Ok(_) => {}
        }
        let file = File::open(&path).map_err(io)?;
        let metadata = file.metadata().map_err(io)?;
        if !metadata.is_file() {
            return Err(io(std::io::Error::other("it is no regular file")));
        }
        Ok(Some((file, metadata.len())))
    }
}

/// Whether a name may be opened in the folder: the two documents, or `blobs/<algorithm>/<hex>` of a well-formed digest.
fn is_safe(name: &str) -> bool {
    if matches!(name, "index.json" | "oci-layout") {
        return true;
    }
    let digest = name.strip_prefix("blobs/").and_then(|rest| rest.split_once('/'));
    digest.is_some_and(|(algorithm, hex)| format!("{algorithm}:{hex}").parse::<Digest>().is_ok())
}

impl Members for LayoutFolder {
    fn find(&self, name: &str) -> Result<Option<Found>, Error> {
        if !is_safe(name) {
            return Ok(None);
        }
        Ok(self.open_regular(name)?.map(|(_, bytes)| Found { id: BlobId(name.to_owned()), bytes }))
    }

    fn open(&self, id: &BlobId) -> Result<Box<dyn Read + Send + '_>, Error> {
        let missing = || Error::Io { what: id.0.clone(), cause: std::io::ErrorKind::NotFound.into() };
        if !is_safe(&id.0) {
            return Err(missing());
        }
        let (file, _) = self.open_regular(&id.0)?.ok_or_else(missing)?;
        Ok(Box::new(file))
    }

    fn bytes(&self, id: &BlobId) -> Option<u64> {
        is_safe(&id.0).then(|| self.open_regular(&id.0).ok().flatten().map(|(_, bytes)| bytes)).flatten()
    }

    fn sample(&self) -> Vec<String> {
        Vec::new()
    }
}
