//! Tests of Go's build information and rustc's version, as they are found in programs that stream by.

use proptest::prelude::*;

use super::super::elf_facts::GoBuildInfo;
use super::super::markers::{Found, Scanner};
use super::super::patterns::{GO_BUILD_INFO, GO_MODULES, RUSTC, unveil};
use super::*;

const MODULES: &str = "path\tx.org/a\nmod\tx.org/a\tv1.0.0\th1:x\ndep\ty.org/b\tv0.2.0\th1:y\nbuild\tvcs.revision=abc\n";

fn scan(bytes: &[u8], chunk: usize, most: u64) -> Found {
    let mut scanner = Scanner::default();
    scanner.start(most);
    bytes.chunks(chunk).for_each(|chunk| scanner.push(chunk));
    scanner.finish()
}

/// What is found, in whatever chunks the bytes come.
fn found(bytes: &[u8], most: u64) -> Option<GoBuildInfo> {
    let whole = scan(bytes, bytes.len().max(1), most).go;
    for chunk in [1, 5, 16, 100, 700] {
        assert_eq!(scan(bytes, chunk, most).go, whole, "chunks of {chunk}");
    }
    whole
}

fn varint(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn marked(modules: &str) -> Vec<u8> {
    [&unveil(GO_MODULES)[..], modules.as_bytes(), &END_MARK].concat()
}

fn inline(version: &str, module_information: &[u8]) -> Vec<u8> {
    let mut bytes = unveil(GO_BUILD_INFO);
    bytes.extend_from_slice(&[8, 2]);
    bytes.resize(HEADER_BYTES, 0);
    bytes.extend_from_slice(&varint(version.len()));
    bytes.extend_from_slice(version.as_bytes());
    bytes.extend_from_slice(&varint(module_information.len()));
    bytes.extend_from_slice(module_information);
    bytes
}

fn info(version: Option<&str>, modules: &str) -> GoBuildInfo {
    GoBuildInfo { version: version.map(Into::into), modules: modules.as_bytes().into(), is_cut: false }
}

#[test]
fn the_inline_form_gives_version_and_all_modules() {
    let many = format!("{MODULES}{}", "dep\tz.org/c\tv1.0.0\th1:zzzzzzzzzzzz\n".repeat(200));
    for modules in [MODULES, &many] {
        let bytes = [vec![0; 32], inline("go1.24.1", &marked(modules)), vec![0; 100]].concat();
        assert_eq!(found(&bytes, 1 << 20), Some(info(Some("go1.24.1"), modules)));
    }
}

#[test]
fn a_program_without_modules_still_has_a_version() {
    let bytes = [inline("go1.20", b""), vec![0; 100]].concat();
    assert_eq!(found(&bytes, 1 << 20), Some(info(Some("go1.20"), "")));
    assert_eq!(found(&inline("go1.20", b""), 1 << 20), Some(info(Some("go1.20"), "")));
}

#[test]
fn the_form_of_pointers_gives_the_modules_that_lie_between_their_marks() {
    let mut header = unveil(GO_BUILD_INFO);
    header.extend_from_slice(&[8, 0]);
    header.extend_from_slice(&[0x40; 16]);
    let bytes = [vec![1; 77], marked(MODULES), vec![2; 3], vec![0; 8], header, vec![0; 90]].concat();
    assert_eq!(found(&bytes, 1 << 20), Some(info(None, MODULES)));
}

#[test]
fn what_is_longer_than_the_limit_or_the_file_is_said_to_be_cut() {
    let bytes = inline("go1.24.1", &marked(&MODULES.repeat(20)));
    let cut = found(&bytes, 600).unwrap();
    assert!(cut.is_cut && cut.modules.starts_with(b"path") && cut.modules.len() < 600);
    let short = found(&bytes[..300], 1 << 20).unwrap();
    assert!(short.is_cut && short.modules.starts_with(b"path"));
    let long = found(&marked(&MODULES.repeat(20)), 600).unwrap();
    assert!(long.is_cut && long.version.is_none());
}

#[test]
fn lengths_that_lie_give_no_more_than_there_is() {
    let mut bytes = inline("go1.24.1", b"");
    bytes.pop();
    bytes.extend_from_slice(&[0xff, 0xff, 0xff, 0x7f]);
    bytes.extend_from_slice(&marked(MODULES));
    assert!(found(&bytes, 1 << 20).unwrap().is_cut);
    let mut endless = inline("go1.24.1", b"");
    endless.pop();
    endless.extend_from_slice(&[0xff; 64]);
    assert_eq!(found(&endless, 1 << 20), Some(info(Some("go1.24.1"), "")));
}

#[test]
fn rustc_leaves_its_version() {
    let rustc = |text: &str| {
        let bytes = [b"xx".to_vec(), unveil(RUSTC), text.as_bytes().to_vec()].concat();
        let whole = scan(&bytes, bytes.len(), 9).rustc;
        assert_eq!(scan(&bytes, 3, 9).rustc, whole);
        whole
    };
    assert_eq!(rustc("1.75.0 (82e1608df 2023-12-21)\0").as_deref(), Some("1.75.0"));
    assert_eq!(rustc("1.90.0-nightly (x)").as_deref(), Some("1.90.0-nightly"));
    for mention in ["{} is too old", "", "1", "mismatch"] {
        assert_eq!(rustc(mention), None, "{mention}");
    }
}

proptest! {
    #[test]
    fn any_bytes_around_a_magic_are_read_alike_in_all_chunks(
        before in prop::collection::vec(any::<u8>(), 0..40),
        after in prop::collection::vec(any::<u8>(), 0..80),
        flags in 0_u8..4,
        modules in "((path|mod|dep)\t[a-z]{1,3}\n){0,4}",
        most in 0_u64..900,
        chunk in 1_usize..40,
    ) {
        let mut bytes = before;
        bytes.resize(bytes.len().next_multiple_of(16), 0);
        bytes.extend(inline("go1.2", &marked(&modules)));
        bytes[FLAGS_AT] ^= flags;
        bytes.extend(after);
        prop_assert_eq!(scan(&bytes, chunk, most).go, scan(&bytes, bytes.len(), most).go);
    }
}
