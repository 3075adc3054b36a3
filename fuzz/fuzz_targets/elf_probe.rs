//! Arbitrary bytes as a program: no panic, and the facts never hold more than the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::limits::Limits;
use plimsoll_fuzz::index_of;

fuzz_target!(|data: &[u8]| {
    const MAGIC: &[u8] = b"\x7fELF";
    let data = if data.starts_with(MAGIC) { data.to_vec() } else { [MAGIC, data].concat() };
    let index = index_of(&[("/usr/bin/program", &data)], &Limits::default());
    assert!(index.errors.is_empty());
    for facts in index.changes.iter().filter_map(|change| change.content.as_ref()?.elf.as_ref()) {
        assert!(facts.interpreter.as_ref().is_none_or(|path| path.len() < data.len()));
        assert!(facts.needed.iter().all(|name| name.len() < data.len()));
    }
});
