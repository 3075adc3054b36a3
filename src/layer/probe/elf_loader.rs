//! What glibc's dynamic loader was built with: it carries its default folders, and the path of its cache, as constants.

use super::elf_facts::LoaderFacts;

/// Folders that are taken: distributions build in at most four.
const MOST_FOLDERS: usize = 16;

/// Whether a soname is that of a dynamic loader (`ld-linux-x86-64.so.2`, `ld64.so.2`, `ld.so.1`).
pub(super) fn is_loader(soname: &[u8]) -> bool {
    [&b"ld-linux"[..], b"ld64.so.", b"ld.so."].iter().any(|start| soname.starts_with(start))
}

/// Reads the constants: `system_dirs` (strings in a row, each an absolute path with a slash at its end) and the path of the cache.
pub(super) fn read(bytes: &[u8]) -> LoaderFacts {
    let strings = || bytes.split(|byte| *byte == 0);
    let is_folder = |text: &&[u8]| text.len() > 2 && text.starts_with(b"/") && text.ends_with(b"/") && text.is_ascii();
    let folders = strings().skip_while(|text| !is_folder(text)).take_while(is_folder).take(MOST_FOLDERS);
    let cache = strings().find(|text| text.starts_with(b"/") && text.ends_with(b"/ld.so.cache") && text.len() < 4_096);
    LoaderFacts { directories: folders.map(Into::into).collect(), cache: cache.map(Into::into) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_stand_in_a_row_and_end_in_a_slash() {
        let read = read(b"x\0/lib\0\0/lib/x86_64-linux-gnu/\0/usr/lib/\0\0/other/\0 /etc/ld.so.cache\0/etc/ld.so.cache\0");
        assert_eq!(read.directories, [b"/lib/x86_64-linux-gnu/"[..].into(), b"/usr/lib/"[..].into()]);
        assert_eq!(read.cache.as_deref(), Some(&b"/etc/ld.so.cache"[..]));
        assert_eq!(super::read(b"nothing"), LoaderFacts::default());
    }

    #[test]
    fn loaders_are_told_by_their_soname() {
        assert!(is_loader(b"ld-linux-aarch64.so.1") && is_loader(b"ld64.so.2") && is_loader(b"ld.so.1"));
        assert!(!is_loader(b"libc.so.6") && !is_loader(b"ld-musl-x86_64.so.1"));
    }
}
