//! Arbitrary bytes as the files that tell of applications: RECORD, METADATA, `pyvenv.cfg`, `package.json`, a Java `release`, `.deps.json`,
//! `installed.json`, and Go's build information in a program. The input is split at NULs into the files; the last is the rest.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_fuzz::facts_of;

const PATHS: [&str; 8] = [
    "/s/site-packages/a-1.dist-info/RECORD",
    "/s/site-packages/a-1.dist-info/METADATA",
    "/v/pyvenv.cfg",
    "/app/node_modules/@s/b/package.json",
    "/jre/release",
    "/app/app.deps.json",
    "/app/vendor/composer/installed.json",
    "/bin/program",
];

fuzz_target!(|data: &[u8]| {
    let bodies = data.splitn(PATHS.len(), |byte| *byte == 0);
    let mut files: Vec<(&str, Vec<u8>)> = PATHS.into_iter().zip(bodies.map(<[u8]>::to_vec)).collect();
    if let Some((_, program)) = files.get_mut(PATHS.len() - 1) {
        *program = go_program(program);
    }
    files.push(("/s/site-packages/a.py", b"pass".to_vec()));
    files.push(("/jre/lib/modules", Vec::new()));
    let borrowed: Vec<(&str, &[u8])> = files.iter().map(|(path, body)| (*path, body.as_slice())).collect();
    let (image, _) = facts_of(&borrowed, "");
    let components = &image.applications.list;
    assert!(components.is_sorted_by_key(|component| (component.kind, &component.name, &component.version, &component.path)));
    assert!(components.iter().all(|component| component.package.is_none()));
    for (_, node) in image.rootfs.entries() {
        let _ = image.applications.owner_of(&image.rootfs, node);
    }
});

/// A static program whose build information follows its headers; `rest` holds the lengths, the version and the modules.
fn go_program(rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0".to_vec();
    bytes.extend_from_slice(&0x40_0078_u64.to_le_bytes());
    bytes.extend_from_slice(&64_u64.to_le_bytes());
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(b"\x40\0\x38\0\x01\0\0\0\0\0\0\0");
    // one loaded segment that holds the whole file
    bytes.extend_from_slice(b"\x01\0\0\0\x05\0\0\0");
    let size = (128 + 32 + rest.len()) as u64;
    for field in [0, 0x40_0000, 0x40_0000, size, size, 0x1000] {
        bytes.extend_from_slice(&field.to_le_bytes());
    }
    bytes.resize(128, 0);
    bytes.extend_from_slice(b"\xff Go buildinf:\x08\x02");
    bytes.resize(160, 0);
    bytes.extend_from_slice(rest);
    bytes
}
