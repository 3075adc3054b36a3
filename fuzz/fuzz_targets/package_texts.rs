//! Arbitrary bytes as the databases that are texts: dpkg's `status`, file lists, diversions and `status.d`, apk's `installed`.
//! The input is split at NULs into the files.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::facts_of;

const PATHS: [&str; 6] = [
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/info/a.list",
    "/var/lib/dpkg/diversions",
    "/lib/apk/db/installed",
    "/var/lib/dpkg/status.d/b",
    "/var/lib/dpkg/status.d/b.md5sums",
];

fuzz_target!(|data: &[u8]| {
    let files: Vec<_> = PATHS.into_iter().zip(data.splitn(PATHS.len(), |byte| *byte == 0)).collect();
    let (image, _) = facts_of(&files, "");
    let packages = image.packages;
    assert_eq!(packages.databases.iter().map(|database| database.packages).sum::<usize>(), packages.list.len());
    assert!(packages.owned.values().all(|owned| owned.package < packages.list.len()));
});
