//! Arbitrary bytes as `ld.so.cache` and as the symbol versions of a library that a program needs: linking ends, and names each
//! object once. The input is split at the first NUL pair: the cache, and what follows a fixed ELF header.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::{facts_started_by, File};

const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";

fuzz_target!(|data: &[u8]| {
    let cut = data.windows(2).position(|pair| pair == [0, 0]).unwrap_or(data.len());
    let (cache, elf) = data.split_at(cut);
    let cache = [MAGIC, cache].concat();
    let program = [b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0", elf].concat();
    let files: [File<'_>; 4] = [
        ("/bin/program", &program),
        ("/lib64/ld-linux-x86-64.so.2", &program),
        ("/usr/lib64/libc.so.6", &program),
        ("/etc/ld.so.cache", &cache),
    ];
    let (image, _) = facts_started_by(&files, "/bin/program");
    let objects: BTreeSet<_> = image.linking.objects.iter().collect();
    assert_eq!(objects.len(), image.linking.objects.len());
    assert!(image.linking.missing.iter().all(|missing| !missing.needed_by.is_empty()));
});
