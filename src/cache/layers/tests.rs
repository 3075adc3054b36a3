//! Layer indexes through the cache: what comes out is what went in, or nothing.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::archive::compression::Compression;
use crate::cache::key::FORMAT;
use crate::cache::testing::Held;
use crate::cache::{Store as _, opened, sealed};
use crate::layer::probe::{
    Declared, ElfFacts, GoBuildInfo, LoaderFacts, Marker, Named, NeededVersion, Relro, SectionBytes, VersionNeed,
};
use crate::layer::{ChangeKind, Span};
use crate::oci::{Code, DiffId, Digest, Place, Remark};
use crate::secret::{self, Secret, Secrets};

fn digest(text: &str) -> Digest {
    Digest::of_bytes(Algorithm::Sha256, &Sha256::digest(text.as_bytes()))
}

const KINDS: [ChangeKind; 10] = [
    ChangeKind::File,
    ChangeKind::Directory,
    ChangeKind::Symlink,
    ChangeKind::HardLink,
    ChangeKind::CharDevice,
    ChangeKind::BlockDevice,
    ChangeKind::Fifo,
    ChangeKind::Whiteout,
    ChangeKind::Opaque,
    ChangeKind::PaxGlobal,
];

const MARKERS: [Marker; 15] = [
    Marker::GccDriver,
    Marker::GccCompilerProper,
    Marker::Tcc,
    Marker::Clang,
    Marker::Rustc,
    Marker::Cargo,
    Marker::GoToolchain,
    Marker::Javac,
    Marker::Binutils,
    Marker::BusyBox,
    Marker::Apk,
    Marker::Dpkg,
    Marker::Rpm,
    Marker::OtherCompiler,
    Marker::RustStd,
];

/// ELF facts of which none is empty.
fn full_elf() -> ElfFacts {
    ElfFacts {
        machine: 62,
        is_64: true,
        is_little_endian: true,
        kind: 3,
        interpreter: Some(b"/lib/ld.so"[..].into()),
        is_dynamic: true,
        needed: vec![b"libc.so.6"[..].into(), b"libm.so.6"[..].into()],
        auxiliaries: vec![b"liba.so"[..].into()],
        filters: vec![b"libf.so"[..].into()],
        soname: Some(b"x.so"[..].into()),
        rpath: Some(b"/r"[..].into()),
        runpath: Some(b"/q"[..].into()),
        is_without_default_folders: true,
        version_needs: vec![VersionNeed {
            file: b"libc.so.6"[..].into(),
            versions: vec![NeededVersion { name: b"GLIBC_2.36"[..].into(), is_weak: true }],
        }],
        version_definitions: Some(vec![b"X_1"[..].into()]),
        is_program: true,
        stack: Some(7),
        relro: Relro::Full,
        has_stack_guard: Some(true),
        code_bytes: 9,
        sections: Some(SectionBytes { debug: 10, symbols: 11 }),
        go_path: Some("cmd/go".into()),
        go: Some(Box::new(GoBuildInfo { version: Some("go1.24".into()), modules: b"path\tcmd/go\n"[..].into(), is_cut: true })),
        rustc: Some("1.75.0".into()),
        markers: MARKERS.into_iter().collect(),
        loader: Some(Box::new(LoaderFacts { directories: vec![b"/lib/"[..].into()], cache: Some(b"/c"[..].into()) })),
        faults: vec!["odd".into()],
    }
}

/// An index in which every field of every struct says something.
fn full() -> LayerIndex {
    let mut index = LayerIndex {
        digest: Some(BlobDigest(digest("stored"))),
        compressed_bytes: 123,
        diff_id: Some(DiffId(digest("plain"))),
        diff_id_sha512: Some(DiffId(Digest::of_bytes(Algorithm::Sha512, &[7; 64]))),
        uncompressed_bytes: 70_000,
        compression: Compression::Zstd { leading_skippable: true },
        files_inspected: 2,
        not_examined: vec![(b"/big\xff".to_vec(), "limit".into())],
        remarks: vec![Remark { code: Code::TarSparse, place: Place::path(&b"/a"[..]), detail: "one".into() }],
        ..LayerIndex::default()
    };
    let content = Content {
        sha256: Some([9; 32]),
        elf: Some(Box::new(full_elf())),
        broken_elf: Some("why".into()),
        shebang: Some(b"/bin/sh"[..].into()),
        body: Some(b"root:x:0:"[..].into()),
        secrets: Some(Box::new(secrets())),
        declared: Some(Box::new(Declared {
            named: vec![Named { name: "a".into(), version: Some("1".into()) }],
            fault: Some("cut".into()),
        })),
    };
    for (number, kind) in (0_u32..).zip(KINDS) {
        let (path, link) = (index.intern(format!("/path{number}").as_bytes()), index.intern(b"target"));
        index.changes.push(Change {
            kind,
            mode: 0o4755,
            uid: number,
            gid: 300,
            size: 1 << 40,
            device: (8, 1),
            path,
            link,
            xattrs: Some([Xattr { name: b"security.capability".to_vec(), value: vec![0, 255] }].into()),
            content: Some(content.clone().into()),
        });
    }
    index
}

/// One of every kind.
fn secrets() -> Secrets {
    let secret = |kind: &secret::Kind| Secret::new(*kind, 3, b"0123456789abcdefgh").called(b"NAME");
    Secrets { found: secret::Kind::ALL.iter().map(secret).collect(), more: 300 }
}

fn shape() -> Shape {
    Shape::new(Algorithm::Sha256, false, &Limits::default())
}

fn held() -> (Layers, Held) {
    let held = Held::default();
    (Layers::new(0, Tiers::new(vec![Box::new(held.clone())])), held)
}

#[test]
fn whoever_changes_what_is_written_raises_the_format() {
    // a change of FORMAT, of what is written, or of a name in it: write down the new pair, with a FORMAT that was never used
    let written = hex(&Sha256::digest(encoded(&full()).unwrap()));
    assert_eq!((FORMAT, written.as_str()), (5, "3711221534bd47e76cce7da296a8aac80488780662cde8b89ae275ed9adc8e31"));
}

/// A layer with entries of every kind.
fn sample() -> Vec<u8> {
    use tar::EntryType as Type;
    let mut tar = tar::Builder::new(Vec::new());
    let mut add = |name: &str, kind: tar::EntryType, mode: u32, body: &[u8], link: &str| {
        let mut header = tar::Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(body.len() as u64);
        header.set_mode(mode);
        header.set_uid(1_000);
        header.set_gid(50);
        header.set_cksum();
        tar.append(&header, body).unwrap();
    };
    add("./", Type::Directory, 0o755, b"", "");
    add("etc/passwd", Type::Regular, 0o644, b"root:x:0:0:root:/root:/bin/sh\n", "");
    add("etc//group", Type::Regular, 0o644, b"root:x:0:\n", "");
    add("usr/bin/tool", Type::Regular, 0o4755, b"#!/bin/sh -e\ntrue\n", "");
    add("usr/bin/broken", Type::Regular, 0o755, b"\x7fELF broken", "");
    add("usr/bin/again", Type::Link, 0o755, b"", "usr/bin/tool");
    add("bin", Type::Symlink, 0o777, b"", "usr/bin");
    add("gone/.wh.file", Type::Regular, 0o644, b"", "");
    add("full/.wh..wh..opq", Type::Regular, 0o644, b"", "");
    add("dev/null", Type::Char, 0o666, b"", "");
    add("dev/disk", Type::Block, 0o660, b"", "");
    add("run/pipe", Type::Fifo, 0o600, b"", "");
    tar.into_inner().unwrap()
}

#[test]
fn whoever_changes_what_is_learnt_raises_the_format() {
    // what the layer room says of the same bytes has changed: what older programs of this version wrote must not be served
    let count = std::sync::atomic::AtomicU64::new(0);
    let options = crate::layer::Options { algorithm: Algorithm::Sha256, digest_files: true, progress: &count, kept: &count };
    let index = crate::layer::index(&mut sample().as_slice(), options, &Limits::default());
    assert_eq!((index.errors.len(), index.changes.len()), (0, 12), "{index:?}");
    let written = hex(&Sha256::digest(encoded(&index).unwrap()));
    assert_eq!((FORMAT, written.as_str()), (5, "3d1ac5287f8123d207f6b7e0d192cec080954edd0f479a99db6d396cfa04d4df"));
}

#[test]
fn what_is_kept_is_found_again_unchanged() {
    let (layers, _) = held();
    let index = Arc::new(full());
    layers.keep(&shape(), &index);
    let found = layers.find(index.digest.as_ref().unwrap(), &shape()).unwrap();
    assert_eq!(format!("{found:?}"), format!("{index:?}"));
}

#[test]
fn memory_serves_without_the_stores() {
    let layers = Layers::new(1_000_000, Tiers::default());
    let index = Arc::new(full());
    layers.keep(&shape(), &index);
    assert!(Arc::ptr_eq(&layers.find(index.digest.as_ref().unwrap(), &shape()).unwrap(), &index));
}

#[test]
fn another_shape_is_another_entry() {
    let (layers, _) = held();
    let index = Arc::new(full());
    layers.keep(&shape(), &index);
    let found = |shape: &Shape| layers.find(index.digest.as_ref().unwrap(), shape).is_some();
    assert!(found(&shape()));
    assert!(!found(&Shape::new(Algorithm::Sha256, true, &Limits::default())));
    assert!(!found(&Shape::new(Algorithm::Sha512, false, &Limits::default())));
    for (name, value, _) in Limits::ALL {
        let mut limits = Limits::default();
        limits.set(name, value + 1);
        assert!(!found(&Shape::new(Algorithm::Sha256, false, &limits)), "{name}");
    }
}

#[test]
fn what_is_not_whole_is_not_kept() {
    let (layers, _) = held();
    let key = full().digest.unwrap();
    for index in [
        LayerIndex { errors: vec![crate::limits::LimitHit { name: "layer-bytes", limit: 1, found: 2 }.into()], ..full() },
        LayerIndex { diff_id: None, ..full() },
        LayerIndex { bodies_left: 1, ..full() },
        LayerIndex { digest: None, ..full() },
    ] {
        layers.keep(&shape(), &Arc::new(index));
        assert!(layers.find(&key, &shape()).is_none());
    }
}

#[test]
fn an_index_under_another_layers_name_is_nothing() {
    let (layers, held) = held();
    let (mine, other) = (full().digest.unwrap(), BlobDigest(digest("other")));
    layers.keep(&shape(), &Arc::new(full()));
    // the entry of one key moved to the place of another
    let entry = held.get(&shape().key(Kind::Layer, &mine, "")).unwrap().unwrap();
    held.put(&shape().key(Kind::Layer, &other, ""), &entry).unwrap();
    assert!(layers.find(&other, &shape()).is_none());
    // and a well-formed entry that holds another layer's index
    let key = shape().key(Kind::Layer, &other, "");
    held.put(&key, &sealed(&key, &encoded(&full()).unwrap()).unwrap()).unwrap();
    assert!(layers.find(&other, &shape()).is_none());
    assert_eq!(held.get(&key).unwrap(), None, "it was removed");
}

#[test]
fn bodies_are_kept_by_blob_and_entries() {
    let (layers, _) = held();
    let blob = full().digest.unwrap();
    let bodies = vec![(3, b"one".to_vec()), (7, Vec::new())];
    layers.keep_bodies(&blob, &shape(), &[3, 7], &bodies);
    assert_eq!(layers.find_bodies(&blob, &shape(), &[3, 7]), Some(bodies));
    assert_eq!(layers.find_bodies(&blob, &shape(), &[3]), None);
    assert_eq!(layers.find_bodies(&blob, &shape(), &[37]), None);
}

#[test]
fn values_that_claim_more_than_there_is_are_nothing() {
    // a length of 2^64 - 1 wherever one may stand
    let value = encoded(&full()).unwrap();
    let huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    for at in 0..value.len() {
        let _ = decoded(&[&value[..at], &huge, &value[at..]].concat());
        assert!(decoded(&value[..at]).is_none(), "{at}");
    }
}

prop_compose! {
    fn content()(
        sha256 in any::<Option<[u8; 32]>>(),
        body in any::<Option<Vec<u8>>>(),
        shebang in any::<Option<Vec<u8>>>(),
        broken in any::<Option<String>>(),
        machine in any::<Option<u16>>(),
        needed in vec(vec(any::<u8>(), 0..8), 0..4),
        markers in vec(proptest::sample::select(MARKERS.to_vec()), 0..4),
    ) -> Content {
        let elf = machine.map(|machine| {
            let needed = needed.into_iter().map(Into::into).collect();
            Box::new(ElfFacts { machine, needed, markers: markers.into_iter().collect(), ..ElfFacts::default() })
        });
        Content { sha256, elf, broken_elf: broken.map(Into::into), shebang: shebang.map(Into::into), body: body.map(Into::into), ..Content::default() }
    }
}

type Numbers = (u16, u32, u32, u64, (u32, u32));

prop_compose! {
    fn entry()(
        kind in proptest::sample::select(KINDS.to_vec()),
        numbers in any::<Numbers>(),
        names in (vec(any::<u8>(), 0..20), vec(any::<u8>(), 0..20)),
        xattrs in proptest::option::of(vec((vec(any::<u8>(), 0..8), vec(any::<u8>(), 0..8)), 0..3)),
        content in proptest::option::of(content()),
    ) -> (Change, (Vec<u8>, Vec<u8>)) {
        let (mode, uid, gid, size, device) = numbers;
        let xattrs = xattrs.map(|all| all.into_iter().map(|(name, value)| Xattr { name, value }).collect());
        let span = Span::default();
        (Change { kind, mode, uid, gid, size, device, path: span, link: span, xattrs, content: content.map(Arc::new) }, names)
    }
}

prop_compose! {
    fn layer()(
        entries in vec(entry(), 0..8),
        bytes in any::<(u64, u64, u64)>(),
        remarks in vec((proptest::sample::select(Code::ALL), any::<Option<Vec<u8>>>(), any::<Option<u64>>(), ".{0,8}"), 0..3),
        not_examined in vec((vec(any::<u8>(), 0..8), ".{0,8}"), 0..3),
        compression in proptest::sample::select(vec![
            Compression::None,
            Compression::Gzip,
            Compression::Xz,
            Compression::Zstd { leading_skippable: false },
        ]),
    ) -> LayerIndex {
        let remark = |(code, path, offset, detail)| Remark { code, place: Place { path, offset, ..Place::default() }, detail };
        let mut index = LayerIndex {
            digest: Some(BlobDigest(digest("stored"))),
            diff_id: Some(DiffId(digest("plain"))),
            compressed_bytes: bytes.0,
            uncompressed_bytes: bytes.1,
            files_inspected: bytes.2,
            compression,
            not_examined,
            remarks: remarks.into_iter().map(remark).collect(),
            ..LayerIndex::default()
        };
        for (mut change, (path, link)) in entries {
            change.path = index.intern(&path);
            change.link = index.intern(&link);
            index.changes.push(change);
        }
        index
    }
}

proptest! {
    #[test]
    fn any_index_comes_back_as_it_was(index in layer()) {
        let (layers, _) = held();
        let index = Arc::new(index);
        layers.keep(&shape(), &index);
        let found = layers.find(index.digest.as_ref().unwrap(), &shape()).unwrap();
        prop_assert_eq!(format!("{:?}", found), format!("{:?}", index));
    }

    #[test]
    fn an_entry_with_a_byte_changed_is_a_miss(index in layer(), at in any::<proptest::sample::Index>(), bits in 1_u8..) {
        let key = Key::new(Kind::Layer, "x");
        let mut entry = sealed(&key, &encoded(&index).unwrap()).unwrap();
        let at = at.index(entry.len());
        entry[at] ^= bits;
        prop_assert_eq!(opened(&key, &entry), None);
    }

    #[test]
    fn an_altered_value_is_read_without_panic(index in layer(), changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)) {
        let mut value = encoded(&index).unwrap();
        for (at, byte) in changes {
            let at = at.index(value.len());
            value[at] = byte;
        }
        if let Some(index) = decoded(&value) {
            let _ = (weight(&index), index.changes.iter().map(|change| index.name(&change.path).len()).sum::<usize>());
        }
    }

    #[test]
    fn arbitrary_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..300)) {
        let _ = decoded(&bytes);
    }
}
