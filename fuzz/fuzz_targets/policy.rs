//! Arbitrary texts as policies that may extend one another: no panic, and a policy or a reason. The input is split at NULs into
//! `a.toml`, which is loaded, `b.toml` and `c.toml`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use plimsoll::policy;

fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(3, |byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut part = || parts.next().unwrap_or_default();
    let files = [("a.toml", part()), ("b.toml", part()), ("c.toml", part())];
    let mut read = |path: &Path| {
        let file = files.iter().find(|(name, _)| path.ends_with(name));
        file.map(|(_, text)| text.clone()).ok_or_else(|| "no such file".to_owned())
    };
    match policy::load("a.toml", &mut read, |_| Ok(())) {
        Ok(loaded) => assert!(loaded.policy.waivers.iter().all(|waiver| !waiver.reason.trim().is_empty())),
        Err(errors) => assert!(!errors.is_empty() && errors.iter().all(|error| !error.to_string().is_empty())),
    }
});
