//! Arbitrary bytes as an input file, all the way to the report: no panic. Slower than the others: it writes a file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::verify::{Progress, Request, verify};

fuzz_target!(|data: &[u8]| {
    let path = std::env::temp_dir().join(format!("plimsoll-fuzz-{}.tar", std::process::id()));
    std::fs::write(&path, data).expect("the scratch folder is writable");
    let mut request = Request::default();
    request.source.input = path;
    let _ = verify(&request, &Progress::default());
});
