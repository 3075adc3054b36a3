//! `/etc/ld.so.preload`: libraries that glibc's loader puts into every program (ld.so(8), `elf/rtld.c`). musl's does not read it.

/// Where it is.
pub const PRELOAD_FILE: &[u8] = b"/etc/ld.so.preload";

/// The libraries that it names, in order: words between white space and colons, without comments.
pub fn preloaded(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = body.split(|byte| *byte == b'\n').map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default());
    lines.flat_map(|line| line.split(|byte| matches!(byte, b' ' | b'\t' | b':'))).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_outside_comments() {
        let body = b"# hooks: one\n/a.so /b.so:c.so\t/d.so# /e.so\n\n#\n/f.so";
        assert!(preloaded(body).eq([&b"/a.so"[..], b"/b.so", b"c.so", b"/d.so", b"/f.so"]));
        assert_eq!(preloaded(b"").count() + preloaded(b" \n#x").count(), 0);
    }
}
