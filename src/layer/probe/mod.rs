//! What is learnt from file bodies while they stream by: ELF facts, tool markers, script interpreters, small bodies that facts need.

mod candidate;
mod declared;
mod elf;
mod elf_dynamic;
mod elf_facts;
mod elf_head;
mod elf_layout;
mod elf_learnt;
mod elf_loader;
mod elf_sections;
mod elf_versions;
mod go_build_info;
mod ident;
mod markers;
mod passwords;
mod patterns;
mod range;
mod secrets;
#[cfg(test)]
mod test_elf;
mod test_tools;
mod wanted;

pub use declared::{Declared, Named};
pub use elf_facts::{ElfFacts, GoBuildInfo, LoaderFacts, Marker, NeededVersion, Relro, SectionBytes, VersionNeed};
pub(super) use passwords::without_passwords;
pub use test_tools::test_tool;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use self::declared::DeclaredProbe;
use self::elf::ElfProbe;
use self::elf_learnt::Learnt as ElfLearnt;
use self::secrets::SecretProbe;
use super::{Content, Options};
use crate::limits::Limits;

/// Bytes at the start of a file that tell what it is.
const HEAD_BYTES: usize = 512;

/// Bytes of a script's first line that are kept (the kernel's BINPRM_BUF_SIZE).
const SHEBANG_BYTES: usize = 256;

/// Zeros that stand for holes.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// What one file taught.
#[derive(Debug, Default)]
pub(super) struct Learnt {
    /// None when there is nothing to say of it.
    pub(super) content: Option<Arc<Content>>,
    /// Why the probes could not see all they wanted.
    pub(super) not_examined: Option<String>,
    /// The body was wanted, and found no room.
    pub(super) is_body_left: bool,
}

/// Looks at one regular file after the other; its buffers are used again.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing of the file at hand")]
pub(super) struct FileProbe<'l> {
    limits: &'l Limits,
    digest_files: bool,
    /// Bytes of the bodies that are kept, of all layers.
    kept: &'l AtomicU64,
    size: u64,
    hash: Option<Sha256>,
    head: Vec<u8>,
    is_sniffed: bool,
    /// Set from the start when the path is wanted.
    body: Option<Vec<u8>>,
    is_body_left: bool,
    /// It is called like a script that starts a container.
    is_entry: bool,
    is_elf: bool,
    elf: ElfProbe,
    secrets: SecretProbe,
    declared: DeclaredProbe,
}

impl<'l> FileProbe<'l> {
    pub(super) fn new(limits: &'l Limits, options: Options<'l>) -> Self {
        Self {
            limits,
            digest_files: options.digest_files,
            kept: options.kept,
            size: 0,
            hash: None,
            head: Vec::with_capacity(HEAD_BYTES),
            is_sniffed: false,
            body: None,
            is_body_left: false,
            is_entry: false,
            is_elf: false,
            elf: ElfProbe::new(limits),
            secrets: SecretProbe::default(),
            declared: DeclaredProbe::default(),
        }
    }

    /// A file begins.
    pub(super) fn start(&mut self, path: &[u8], size: u64) {
        self.size = size;
        self.hash = self.digest_files.then(Sha256::new);
        self.head.clear();
        self.is_sniffed = false;
        self.body = wanted::is_wanted(path, size, self.limits).then(Vec::new);
        self.is_body_left = false;
        self.is_entry = wanted::is_called_like_an_entry(path, size);
        self.is_elf = false;
        self.secrets.start(path);
        self.declared.start(path, size, self.limits);
    }

    /// Its next bytes.
    pub(super) fn data(&mut self, bytes: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(bytes);
        }
        self.declared.push(bytes);
        if self.is_sniffed {
            self.pass_on(bytes);
            return;
        }
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        let (first, rest) = bytes.split_at_checked(missing).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(first);
        if self.head.len() >= HEAD_BYTES {
            self.sniff();
            self.pass_on(rest);
        }
    }

    /// A hole: as many zeros.
    pub(super) fn hole(&mut self, length: u64) {
        let mut left = length;
        while left > 0 && self.has_work() {
            let piece = usize::try_from(left).unwrap_or(usize::MAX).min(ZEROS.len());
            self.data(ZEROS.get(..piece).unwrap_or_default());
            left = left.saturating_sub(u64::try_from(piece).unwrap_or(u64::MAX));
        }
    }

    /// The file is complete.
    pub(super) fn finish(&mut self) -> Learnt {
        if !self.is_sniffed {
            self.sniff();
        }
        let sha256 = self.hash.take().map(|hash| hash.finalize().into());
        let mut content = Content { sha256, shebang: shebang(&self.head), ..Content::default() };
        content.body = self.body.take().map(|body| without_passwords(body).into_boxed_slice());
        content.declared = self.declared.finish();
        let (secrets, mut not_examined) = self.secrets.finish();
        content.secrets = secrets;
        if self.is_elf {
            match self.elf.finish() {
                ElfLearnt::Facts(facts, partly) => {
                    content.elf = Some(facts);
                    not_examined = partly.or(not_examined);
                }
                ElfLearnt::Broken(reason) => content.broken_elf = Some(reason.into()),
                ElfLearnt::NotExamined(reason) => not_examined = Some(reason),
            }
        }
        let content = (content != Content::default()).then(|| Arc::new(content));
        Learnt { content, not_examined, is_body_left: self.is_body_left }
    }

    fn has_work(&self) -> bool {
        !self.is_sniffed
            || self.hash.is_some()
            || self.body.is_some()
            || self.secrets.is_active()
            || self.declared.is_active()
            || (self.is_elf && !self.elf.is_done())
    }

    /// Decides from the head what the file is, and shows the head to those who want it.
    fn sniff(&mut self) {
        self.is_sniffed = true;
        self.is_elf = self.head.starts_with(b"\x7fELF");
        let is_wanted = self.body.take().is_some()
            || wanted::may_be_user_database(&self.head, self.size)
            || (self.is_entry && wanted::is_for_a_shell(&self.head));
        if is_wanted && !self.is_elf {
            self.is_body_left = !self.takes_room();
            self.body = (!self.is_body_left).then(|| self.head.clone());
        }
        if self.is_elf {
            self.elf.start(self.size);
            self.elf.push(&self.head);
        } else {
            self.secrets.sniff(&self.head, self.size, self.limits);
        }
    }

    /// Takes room for the body, if there is enough left.
    fn takes_room(&self) -> bool {
        let grow = |kept: u64| Some(kept.saturating_add(self.size)).filter(|kept| self.limits.kept_bytes(*kept).is_ok());
        self.kept.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grow).is_ok()
    }

    fn pass_on(&mut self, bytes: &[u8]) {
        if let Some(body) = &mut self.body {
            body.extend_from_slice(bytes);
        }
        if self.is_elf {
            self.elf.push(bytes);
        } else {
            self.secrets.push(bytes);
        }
    }
}

fn shebang(head: &[u8]) -> Option<Box<[u8]>> {
    let line = head.strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Some(line.get(..SHEBANG_BYTES).unwrap_or(line).into())
}
