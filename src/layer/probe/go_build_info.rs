//! Go's build information, the inline form that programs have since Go 1.18 (`debug/buildinfo`): 14 bytes of magic at a multiple
//! of 16, pointer size, flags, zeros up to 32 bytes, then the tool chain's version and the module information, each a string
//! with a varint before it. The older form, of pointers, is passed over.

/// Bytes from the magic on that hold the main package's path in any real program.
const MOST_BYTES: usize = 4 * 1024;

/// Candidates that are looked at in one file: programs that read build information hold the magic as a constant.
const MOST_CANDIDATES: u32 = 64;

const HEADER_BYTES: usize = 32;
const FLAGS_AT: usize = 15;
const INLINE: u8 = 2;
const ALIGNMENT: u64 = 16;
/// Bytes before the module information that are no text.
const SENTINEL_BYTES: usize = 16;

/// Collects the bytes after a magic and reads the main package's path from them.
#[derive(Debug, Default)]
pub(super) struct BuildInfo {
    /// Position of the magic that is being collected.
    at: Option<u64>,
    bytes: Vec<u8>,
    candidates: u32,
    path: Option<Box<str>>,
}

impl BuildInfo {
    pub(super) fn start(&mut self) {
        self.at = None;
        self.bytes.clear();
        self.candidates = 0;
        self.path = None;
    }

    /// The magic lies at `at`, and `bytes` are those from there on that are known.
    pub(super) fn found(&mut self, at: u64, bytes: &[u8]) {
        let is_later = self.at.is_none_or(|current| at > current);
        if self.path.is_some() || at.checked_rem(ALIGNMENT) != Some(0) || self.candidates >= MOST_CANDIDATES || !is_later {
            return;
        }
        self.read();
        self.candidates = self.candidates.saturating_add(1);
        self.at = Some(at);
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes.get(..MOST_BYTES).unwrap_or(bytes));
    }

    /// A chunk of the file that begins at `position`.
    pub(super) fn push(&mut self, position: u64, chunk: &[u8]) {
        let Some(at) = self.at else { return };
        let missing = MOST_BYTES.saturating_sub(self.bytes.len());
        let next = at.saturating_add(u64::try_from(self.bytes.len()).unwrap_or(u64::MAX));
        let Some(start) = next.checked_sub(position).and_then(|start| usize::try_from(start).ok()) else { return };
        let rest = chunk.get(start..).unwrap_or_default();
        self.bytes.extend_from_slice(rest.get(..missing).unwrap_or(rest));
    }

    /// The main package's path, when the file is complete.
    pub(super) fn path(&mut self) -> Option<Box<str>> {
        self.read();
        self.path.take()
    }

    fn read(&mut self) {
        if self.path.is_none() && self.at.is_some() {
            self.path = main_package(&self.bytes);
        }
    }
}

fn main_package(bytes: &[u8]) -> Option<Box<str>> {
    if bytes.get(FLAGS_AT)? & INLINE == 0 {
        return None;
    }
    let (version, rest) = string(bytes.get(HEADER_BYTES..)?)?;
    let is_version = version.starts_with(b"go") || version.starts_with(b"devel");
    let (module, _) = string(rest).filter(|_| is_version)?;
    let path = module.get(SENTINEL_BYTES..)?.strip_prefix(b"path\t")?;
    let end = path.iter().position(|byte| *byte == b'\n')?;
    std::str::from_utf8(path.get(..end)?).ok().map(Into::into)
}

/// A string with its length before it as a varint, cut where the bytes end.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0_usize;
    for (at, byte) in bytes.iter().enumerate().take(4) {
        let shift = u32::try_from(at).ok()?.checked_mul(7)?;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            let rest = bytes.get(at.checked_add(1)?..)?;
            return Some(rest.split_at_checked(length).unwrap_or((rest, &[])));
        }
    }
    None
}
