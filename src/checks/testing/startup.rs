//! Programs and configs for the tests of checks about starting.

use super::Builder;
use crate::facts::{Content, ElfFacts, User};
use crate::rootfs::InodeKind;

/// An ELF program for amd64.
fn program() -> ElfFacts {
    ElfFacts { machine: 62, is_64: true, is_little_endian: true, kind: 2, is_program: true, ..ElfFacts::default() }
}

impl Builder {
    /// `Entrypoint`.
    pub(in crate::checks) fn entrypoint(&mut self, words: &[&str]) -> &mut Self {
        self.runtime.entrypoint = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// `Cmd`.
    pub(in crate::checks) fn cmd(&mut self, words: &[&str]) -> &mut Self {
        self.runtime.cmd = words.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The container runs as this user and group.
    pub(in crate::checks) fn runs_as(&mut self, id: u32) -> &mut Self {
        self.user(User { configured: id.to_string(), uid: Some(id), gid: Some(id), ..User::default() })
    }

    /// A static program for the platform of the config.
    pub(in crate::checks) fn machine_code(&mut self, path: &str) -> &mut Self {
        self.elf(path, 100, program())
    }

    /// A static program for another machine.
    pub(in crate::checks) fn foreign(&mut self, path: &str, machine: u16) -> &mut Self {
        self.elf(path, 100, ElfFacts { machine, ..program() })
    }

    /// A program for the platform that names a loader.
    pub(in crate::checks) fn needs_loader(&mut self, path: &str, loader: &str) -> &mut Self {
        self.elf(path, 100, ElfFacts { interpreter: Some(loader.as_bytes().into()), ..program() })
    }

    /// An executable file of text, whose body was kept.
    pub(in crate::checks) fn script_of(&mut self, path: &str, text: &str) -> &mut Self {
        let line = text.strip_prefix("#!").map(|rest| rest.split('\n').next().unwrap_or_default());
        let content = Content {
            shebang: line.map(|line| line.as_bytes().into()),
            body: Some(text.as_bytes().into()),
            ..Content::default()
        };
        self.add(path, InodeKind::File { size: text.len() as u64 }, 0o755, content)
    }
}
