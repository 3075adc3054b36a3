//! The digest of stored bytes alone: nothing is uncompressed.

use std::io::{ErrorKind, Read};

use sha2::{Digest as _, Sha256, Sha512};

use crate::oci::{Algorithm, BlobDigest, Digest};

/// Bytes of one read.
const BUFFER_BYTES: usize = 256 * 1024;

/// A reader that digests what passes.
#[derive(Debug)]
pub struct Digesting<R> {
    reader: R,
    hash: Hash,
}

#[derive(Debug)]
enum Hash {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl<R: Read> Digesting<R> {
    /// Digests what is read of `reader` by `algorithm`.
    pub fn new(reader: R, algorithm: Algorithm) -> Self {
        let hash = match algorithm {
            Algorithm::Sha256 => Hash::Sha256(Sha256::new()),
            Algorithm::Sha512 => Hash::Sha512(Sha512::new()),
        };
        Self { reader, hash }
    }

    /// Reads on to the end: the digest of all bytes.
    pub fn finish(mut self) -> std::io::Result<BlobDigest> {
        let mut buffer = vec![0; BUFFER_BYTES];
        loop {
            match self.read(&mut buffer) {
                Ok(0) => break,
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(BlobDigest(match self.hash {
            Hash::Sha256(hash) => Digest::of_bytes(Algorithm::Sha256, &hash.finalize()),
            Hash::Sha512(hash) => Digest::of_bytes(Algorithm::Sha512, &hash.finalize()),
        }))
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.reader.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        match &mut self.hash {
            Hash::Sha256(hash) => hash.update(bytes),
            Hash::Sha512(hash) => hash.update(bytes),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_of_all_bytes_however_many_were_read_before() {
        let bytes = vec![7; 600_000];
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            let whole = Digesting::new(bytes.as_slice(), algorithm).finish().unwrap();
            let mut half = Digesting::new(bytes.as_slice(), algorithm);
            half.read_exact(&mut [0; 1_000]).unwrap();
            assert_eq!(half.finish().unwrap(), whole);
            assert_eq!(whole.0.algorithm(), algorithm);
        }
        let empty = Digesting::new(&b""[..], Algorithm::Sha256).finish().unwrap();
        assert_eq!(empty.to_string(), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
