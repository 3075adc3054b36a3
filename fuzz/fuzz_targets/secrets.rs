//! Arbitrary bytes as text files and as history: no panic, hits in order, and the same secrets however the bytes come in.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::build::{arguments, redact};
use plimsoll::secret::{CredentialFile, Keys, assigned, search, tokens};

const PATHS: [&[u8]; 7] = [
    b"/app/.env",
    b"/app/.npmrc",
    b"/app/.docker/config.json",
    b"/app/.netrc",
    b"/app/.pgpass",
    b"/app/.kube/config",
    b"/app/.m2/settings.xml",
];

fuzz_target!(|data: &[u8]| {
    let hits = tokens(data);
    assert!(hits.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start));
    for path in PATHS {
        let _ = search(data, CredentialFile::at(path));
    }
    let keys = |size: usize| {
        let mut keys = Keys::default();
        keys.start();
        data.chunks(size).for_each(|chunk| keys.push(chunk));
        keys.finish()
    };
    assert_eq!(keys(7), keys(usize::MAX));
    let text = String::from_utf8_lossy(data);
    let values = assigned(&text);
    assert!(values.windows(2).all(|pair| pair[0].value.end <= pair[1].value.start));
    let _ = redact(&text);
    let _ = arguments(&text);
});
