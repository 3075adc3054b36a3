//! Arbitrary bytes as each of rpm's three databases: no panic, one database, and its packages are counted.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::facts_of;

const PATHS: [&str; 3] = ["/var/lib/rpm/rpmdb.sqlite", "/var/lib/rpm/Packages.db", "/var/lib/rpm/Packages"];

fuzz_target!(|data: &[u8]| {
    // a file's own magic says which one it is; all others go to Berkeley DB's reader, which has its magic at byte 12
    let path = match data.first() {
        Some(b'S') => PATHS[0],
        Some(b'R') => PATHS[1],
        _ => PATHS[2],
    };
    let (image, _) = facts_of(&[(path, data)], "");
    let packages = image.packages;
    assert_eq!(packages.databases.len(), 1);
    assert_eq!(packages.databases[0].packages, packages.list.len());
});
