//! A layer's tar as it is stored: gzip and zstd with uncompressed blocks, so that every byte of the framing is ours.

use std::io::Write;

use serde::Deserialize;

use super::text::bytes;

/// How a layer is stored.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Storage {
    /// `gzip` (default), `zstd` or `none`.
    compression: String,
    /// Offsets at which the tar is cut into members or frames of their own.
    cut_at: Vec<usize>,
    /// Really compress.
    deflate: bool,
    /// Compress the compressed bytes once more.
    twice: bool,
    /// Spoil the checksum of the last gzip member.
    wrong_crc: bool,
    /// A skippable zstd frame of this text comes first.
    leading_skippable: Option<String>,
    /// A skippable zstd frame of this text stands between the frames.
    between_skippable: Option<String>,
    /// zstd: claim a window of two to this power.
    window_log: Option<u8>,
    /// Bytes that follow.
    trailing: String,
    /// Bytes cut off the end.
    cut_off: usize,
}

impl Default for Storage {
    fn default() -> Self {
        Self {
            compression: "gzip".into(),
            cut_at: Vec::new(),
            deflate: false,
            twice: false,
            wrong_crc: false,
            leading_skippable: None,
            between_skippable: None,
            window_log: None,
            trailing: String::new(),
            cut_off: 0,
        }
    }
}

impl Storage {
    /// What a manifest calls this layer.
    pub(crate) fn media_type(&self) -> &'static str {
        match self.compression.as_str() {
            "gzip" => "application/vnd.oci.image.layer.v1.tar+gzip",
            "zstd" => "application/vnd.oci.image.layer.v1.tar+zstd",
            "none" => "application/vnd.oci.image.layer.v1.tar",
            other => panic!("no compression is called {other}"),
        }
    }

    /// The stored bytes of `tar`.
    pub(crate) fn store(&self, tar: &[u8]) -> Vec<u8> {
        let mut out = self.leading_skippable.as_deref().map(skippable).unwrap_or_default();
        let mut start = 0;
        for end in self.cut_at.iter().copied().chain([tar.len()]) {
            if let (Some(text), true) = (&self.between_skippable, start > 0) {
                out.extend(skippable(text));
            }
            out.extend(self.part(&tar[start..end]));
            start = end;
        }
        if self.twice {
            out = self.part(&out);
        }
        if self.wrong_crc {
            let at = out.len() - 8;
            out[at] ^= 0xff;
        }
        out.extend(bytes(&self.trailing));
        out.truncate(out.len() - self.cut_off);
        out
    }

    fn part(&self, data: &[u8]) -> Vec<u8> {
        match self.compression.as_str() {
            "gzip" => gzip(data, self.deflate),
            "zstd" => zstd_frame(data, self.window_log),
            _ => data.to_vec(),
        }
    }
}

fn gzip(data: &[u8], deflate: bool) -> Vec<u8> {
    let level = if deflate { flate2::Compression::best() } else { flate2::Compression::none() };
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
    encoder.write_all(data).expect("writing to memory");
    encoder.finish().expect("writing to memory")
}

/// One frame of raw blocks (RFC 8878, 3.1.1): a single segment, or a window of its own.
fn zstd_frame(data: &[u8], window_log: Option<u8>) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd];
    if let Some(log) = window_log {
        out.extend([0x00, (log - 10) << 3]);
    } else {
        out.push(0xe0);
        out.extend((data.len() as u64).to_le_bytes());
    }
    let mut blocks = data.chunks(1 << 16).peekable();
    while let Some(block) = blocks.next() {
        let last = u32::from(blocks.peek().is_none());
        let header = last | (u32::try_from(block.len()).expect("blocks are small") << 3);
        out.extend(&header.to_le_bytes()[..3]);
        out.extend(block);
    }
    out
}

/// A frame that decoders step over (RFC 8878, 3.1.2).
fn skippable(text: &str) -> Vec<u8> {
    let content = bytes(text);
    let length = u32::try_from(content.len()).expect("skippable frames are small");
    [[0x50, 0x2a, 0x4d, 0x18], length.to_le_bytes()].concat().into_iter().chain(content).collect()
}
